import { describe, expect, it } from 'vitest';
import { checkPortsFree, claimedPorts } from '../../../../agent/network/held-ports.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const tables: Readonly<Record<string, string>> = {
  // sshd on 22, a server on 127.0.0.1:8080, and an established connection from port 40000.
  '/proc/net/tcp': `${HEAD}
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1001 1
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1002 1
   2: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 1003 1
`,
  // A server on [::]:443.
  '/proc/net/tcp6': `${HEAD}
   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1004 1
`,
  // A resolver on 53, one on 127.0.0.53:53 and its question from port 40000; IPv6 is off.
  '/proc/net/udp': `${HEAD}
   0: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1005 2
   1: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1006 2
   2: 00000000:9C40 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1007 2
`,
};

const files = {
  read: async (path: string) => {
    const table = tables[path];
    if (table === undefined) throw new Error(`ENOENT ${path}`);
    return table;
  },
};

describe('checkPortsFree()', () => {
  it.each([
    ['tcp', 22],
    ['tcp', 8080],
    ['tcp', 443],
    ['udp', 53],
  ] as const)('refuses %s port %i, which a program waits on', async (protocol, port) => {
    await expect(checkPortsFree(files, [{ protocol, port }])).rejects.toMatchObject({
      code: 'conflict',
      message: `cannot publish port ${port}/${protocol}: address already in use`,
    });
  });

  it.each([
    ['tcp', 80],
    ['tcp', 40_000],
    ['tcp', 53],
    ['udp', 22],
    ['sctp', 22],
  ] as const)('lets %s port %i be published', async (protocol, port) => {
    await expect(checkPortsFree(files, [{ protocol, port }])).resolves.toBeUndefined();
  });
});

describe('claimedPorts()', () => {
  it('leaves out programs only this host reaches, and numbers the kernel gives clients', async () => {
    expect([...(await claimedPorts(files))].sort()).toEqual(['22/tcp', '443/tcp', '53/udp']);
  });

  it('goes by the range of the host', async () => {
    const range = '/proc/sys/net/ipv4/ip_local_port_range';
    const read = async (path: string) => (path === range ? '400\t500\n' : files.read(path));

    expect([...(await claimedPorts({ read }))].sort()).toEqual(['22/tcp', '40000/udp', '53/udp']);
  });
});
