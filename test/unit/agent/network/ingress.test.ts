import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../../agent/network/command-runner.ts';
import { createIngressPorts, type IngressPorts } from '../../../../agent/network/ingress.ts';
import type { IngressEndpoint } from '../../../../agent/network/ingress-table.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { createLog } from '../../../../runtime/log.ts';

const a: IngressEndpoint = {
  taskId: 'a',
  protocol: 'tcp',
  publishedPort: 80,
  address: '172.17.0.2',
  targetPort: 80,
  affinity: 'none',
  masquerade: false,
};
const b: IngressEndpoint = { ...a, taskId: 'b', address: '172.17.0.3' };

/** A line of /proc/net/tcp. */
function listening(portHex: string): string {
  return `0: 00000000:${portHex} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1`;
}

/** A host that keeps the last table loaded into it and what was switched in /proc. */
class FakeHost {
  private isThere = false;
  private readonly elements = new Map<string, Map<string, string>>();
  loads = 0;
  /** Programs started to ask what the kernel has. */
  questions = 0;
  refusal: string | undefined;
  /** What it answers instead of telling what it has. */
  silence: string | undefined;
  readonly switches = new Map([['/proc/sys/net/ipv4/conf/docker0/route_localnet', '0']]);

  /** As it might be listed; empty when it is not there. */
  get table(): string {
    if (!this.isThere) return '';
    const sets = [...this.elements].map(
      ([name, all]) => `${name} elements = { ${[...all].map(([key, value]) => `${key} : ${value}`).join(', ')} }`,
    );
    return ['table ip plimsoll', ...sets].join('\n');
  }

  readonly run = async (program: string, args: readonly string[], stdin = ''): Promise<CommandResult> => {
    if (program === 'ip') return this.answer('[]');
    if (program === 'conntrack') return this.answer('');
    if (program !== 'nft') return this.answer('');
    if (args[0]?.startsWith('--')) return this.answer('');
    if (args[0] === '-f') return this.load(stdin);
    this.questions += 1;
    if (this.silence) return { exitCode: 1, stdout: '', stderr: this.silence };
    return this.table === ''
      ? { exitCode: 1, stdout: '', stderr: 'No such file or directory' }
      : this.answer(this.table);
  };

  readonly files = {
    read: async (path: string) => {
      if (path === '/proc/net/route') return 'head\ndocker0\t000011AC\t00000000\t1\t0\t0\t0\t0000FFFF\t0\t0\t0\n';
      const value = this.switches.get(path);
      if (value === undefined) throw new Error(`ENOENT ${path}`);
      return value;
    },
    write: async (path: string, text: string) => void this.switches.set(path, text),
  };

  private load(text: string): CommandResult {
    if (this.refusal) return { exitCode: 1, stdout: '', stderr: this.refusal };
    this.loads += 1;
    if (text.includes('delete table')) this.elements.clear();
    this.isThere = text.includes('table ip plimsoll {') || !text.includes('delete table');
    for (const [, verb, name = '', list = ''] of text.matchAll(
      /^(add|delete) element ip plimsoll (\w+) \{ (.*) \}$/gm,
    )) {
      for (const element of list.split(', ')) this.change(verb, name, element);
    }
    return this.answer('');
  }

  private change(verb: string | undefined, name: string, element: string): void {
    const [key = '', value = ''] = element.split(' : ');
    const elements = this.elements.get(name) ?? new Map<string, string>();
    this.elements.set(name, elements);
    if (verb === 'add') elements.set(key, value);
    else elements.delete(key);
  }

  private answer(stdout: string): CommandResult {
    return { exitCode: 0, stdout, stderr: '' };
  }
}

describe('createIngressPorts()', () => {
  let host: FakeHost;
  let ports: IngressPorts;

  function create(): IngressPorts {
    const log = createLog('test', 'silent');
    return createIngressPorts({ run: host.run, files: host.files, clock: systemClock, log, metrics: new Registry() });
  }

  beforeEach(() => {
    host = new FakeHost();
    ports = create();
  });

  it('apply() touches nothing while there is nothing to serve', async () => {
    await ports.apply([]);

    expect(host.loads).toBe(0);
    expect([...host.switches.values()]).toEqual(['0']);
  });

  it('apply() asks the kernel only once what is left while there is nothing to serve, and again after there was', async () => {
    for (let time = 0; time < 3; time += 1) await ports.apply([]);
    expect(host.questions).toBe(1);

    await ports.apply([a]);
    await ports.remove();
    expect(host.table).toBe('');
    const questions = host.questions;
    for (let time = 0; time < 3; time += 1) await ports.apply([]);
    expect(host.questions).toBe(questions + 1);
  });

  it('apply() loads the table once for the same endpoints', async () => {
    await ports.apply([a, b]);
    await ports.apply([b, a]);

    expect(host.loads).toBe(1);
    expect(host.table).toContain('172.17.0.3');
  });

  it('apply() clears what an earlier process left', async () => {
    await ports.apply([a]);

    await create().apply([]);

    expect(host.table).not.toContain('172.17.0.2');
  });

  it('apply() clears what an earlier process left, though the kernel was too busy to tell at first', async () => {
    await ports.apply([a]);
    const later = create();
    host.silence = 'Error: Could not process rule: Device or resource busy';
    await later.apply([]);
    expect(host.table).toContain('172.17.0.2');

    host.silence = undefined;
    await later.apply([]);

    expect(host.table).not.toContain('172.17.0.2');
  });

  it('remove() asks nobody whether what it loaded is there', async () => {
    await ports.apply([a]);
    host.silence = 'Error: Could not process rule: Device or resource busy';

    await ports.remove();

    expect(host.table).toBe('');
  });

  it('applyMesh() leaves a port to the program of this host that waits on it, and tasks here theirs', async () => {
    const tcp = (port: number) => ({ protocol: 'tcp', port, tasks: 1, affinity: 'none', masquerade: false }) as const;
    const peer = { nodeId: 'there', number: 1, address: '10.0.0.2', mac: '02:00:00:00:00:01' };
    host.switches.set('/proc/sys/net/ipv4/conf/plimsoll-vx/route_localnet', '0');
    host.switches.set('/proc/net/tcp', `head\n${listening('0016')}\n${listening('0050')}\n`);

    await ports.apply([a]);
    await ports.applyMesh({
      nodeId: 'here',
      address: '10.0.0.1',
      peers: [{ ...peer, ports: [tcp(22), tcp(80), tcp(8080)] }],
    });

    expect(host.table).toContain('tcp . 8080 : goto spread');
    expect(host.table).toContain('tcp . 80 : goto spread');
    expect(host.table).not.toContain('tcp . 22 ');
  });

  it('withdraw() takes a task out, and a stale list does not bring it back', async () => {
    await ports.apply([a, b]);

    await ports.withdraw('a');
    await ports.apply([a, b]);

    expect(host.table).not.toContain('172.17.0.2');
    expect(host.table).toContain('172.17.0.3');
  });

  it('apply() takes a withdrawn task back after a list without it', async () => {
    await ports.apply([a]);
    await ports.withdraw('a');
    await ports.apply([]);

    await ports.apply([a]);

    expect(host.table).toContain('172.17.0.2');
  });

  it('apply() says why the host refused, and succeeds later with the same list', async () => {
    host.refusal = 'Operation not permitted';
    await expect(ports.apply([a])).rejects.toThrow('Operation not permitted');
    expect(ports.trouble).toContain('Operation not permitted');

    host.refusal = undefined;
    await ports.apply([a]);

    expect(host.table).toContain('172.17.0.2');
  });

  it('remove() switches off what it switched on, also in a later process', async () => {
    await ports.apply([a]);
    expect([...host.switches.values()]).toEqual(['1']);

    await create().remove();

    expect([...host.switches.values()]).toEqual(['0']);
    expect(host.table).toBe('');
  });

  it('remove() leaves a switch alone that was on before', async () => {
    host.switches.set('/proc/sys/net/ipv4/conf/docker0/route_localnet', '1');
    await ports.apply([a]);

    await ports.remove();

    expect([...host.switches.values()]).toEqual(['1']);
  });
});
