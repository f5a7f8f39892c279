import { describe, expect, it } from 'vitest';
import { checkPortsFree } from '../../../../agent/network/held-ports.ts';

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
  // A resolver on 53; IPv6 is off.
  '/proc/net/udp': `${HEAD}
   0: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1005 2
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
