/** Networks of the cluster on hosts whose firewalls come, go and load their rules anew, as Debian packages them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bridgeDevice } from '../../../agent/network/overlay/overlay-names.ts';
import { eventually } from '../../support/eventually.ts';
import { firewallPackages, HostFirewall, missingForFirewalls } from '../../support/host-firewall.ts';
import { runnerIn, startIn } from '../../support/network-namespace.ts';
import { OverlayWorld } from '../../support/overlay-world.ts';

const serverProgram = `
  require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  }).listen(8080, '0.0.0.0', () => console.log('up'));`;
const clientProgram = `
  const [address] = process.argv.slice(1);
  const socket = require('node:net').connect(8080, address, () => socket.write('hello\\n'));
  socket.setTimeout(2_000, () => { console.log('timeout'); process.exit(); });
  socket.on('error', (error) => console.log(error.code));
  socket.on('data', (data) => { console.log(String(data).trim()); process.exit(); });`;
const talkerProgram = `
  const socket = require('node:net').connect(8080, process.argv[1], () => console.log('open'));
  socket.on('error', (error) => console.log(error.code));
  process.stdin.pipe(socket); socket.pipe(process.stdout);`;

/** As docs/operations.md has it, for a firewalld that does not run yet. */
const toldToFirewalld = `
  firewall-offline-cmd --zone=trusted --add-source=10.200.0.0/13
  firewall-offline-cmd --zone=public --add-port=4789/udp`;

/**
 * What Docker 29 with `--firewall-backend=nftables` loads for a bridge of gateway mode nat-unprotected, which the cluster's bridges
 * are, in a chain of its own that drops the rest; written after the rules its documentation shows.
 */
const dockerTable = (bridge: string) => `nft -f - <<RULES
table ip docker-bridges {
  chain in__docker0 { ct state established,related accept; iifname "docker0" accept; drop; }
  chain in__bridge { ct state established,related accept; iifname "${bridge}" accept; accept; }
  chain out { accept; }
  map filter-forward-in-jumps { type ifname : verdict; elements = { "docker0" : jump in__docker0, "${bridge}" : jump in__bridge } }
  map filter-forward-out-jumps { type ifname : verdict; elements = { "docker0" : jump out, "${bridge}" : jump out } }
  chain filter-FORWARD {
    type filter hook forward priority filter; policy drop;
    oifname vmap @filter-forward-in-jumps
    iifname vmap @filter-forward-out-jumps
  }
}
RULES`;

const hosts = ['a', 'b'] as const;
/** Three turns of two firewalls, on a machine that does much else. */
const patiently = { timeout: 240_000 };
const address = { api: '10.200.0.2', db: '10.200.1.2' };
const vip = '10.208.0.1';

const missing = missingForFirewalls();
if (missing.length > 0)
  console.warn(`Networks beside firewalls are NOT tested: this machine lacks ${missing.join(', ')}`);

describe.skipIf(missing.length > 0)('networks beside a host’s firewall', () => {
  const world = new OverlayWorld(`plimf${process.pid}`);
  const firewalls = hosts.map((host) => new HostFirewall(world.namespace(host), firewallPackages));
  const children: ChildProcess[] = [];

  const ask = async (to: string) => {
    const words = ['-e', clientProgram, to];
    return (await runnerIn(world.namespace('api'))(process.execPath, words)).stdout.trim();
  };

  /** A connection that stays open; what it is told comes back. */
  const talk = async () => {
    const words = [`--net=/run/netns/${world.namespace('api')}`, process.execPath, '-e', talkerProgram, vip];
    const talker = spawn('nsenter', words);
    children.push(talker);
    const lines = createInterface(talker.stdout);
    expect(await once(lines, 'line')).toEqual(['open']);
    return async (text: string) => {
      talker.stdin.write(`${text}\n`);
      return String((await once(lines, 'line'))[0]);
    };
  };

  /** Looks at the hosts as agents do every two seconds, until a new connection comes about. */
  const heal = () =>
    eventually(
      async () => {
        for (const host of hosts) await world.host(host).check();
        return [await ask(vip), await ask(address.db)].every((answer) => answer === 'hello');
      },
      { timeoutMs: 60_000, intervalMs: 100, what: 'new connections to come about' },
    );

  const onBoth = (act: (firewall: HostFirewall) => Promise<unknown>) => Promise.all(firewalls.map(act));

  beforeAll(async () => {
    await world.build();
    world.addNetwork('back', false, { a: '10.200.0.0/26', b: '10.200.1.0/26' });
    world.addVip('back', 'db', vip);
    world.addTask('a', 'api', { back: address.api });
    world.addTask('b', 'db', { back: address.db });
    await world.apply();
    await world.plug();
    children.push(await startIn(world.namespace('db'), process.execPath, ['-e', serverProgram]));
    await onBoth((firewall) => firewall.build());
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    const destroyed = await Promise.allSettled(firewalls.map((firewall) => firewall.destroy()));
    await world.destroy();
    const failed = destroyed.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    if (failed.length > 0) throw new AggregateError(failed, 'Cannot take the firewalls down');
  });

  it('ufw: enabled, reloaded, disabled', patiently, async () => {
    const say = await talk();
    for (const command of ['ufw --force enable', 'ufw reload', 'ufw disable']) {
      await onBoth((firewall) => firewall.run(command));
      await heal();
      expect(await say(command)).toBe(command);
    }
  });

  it('firewalld that was told what docs/operations.md says: started, reloaded, stopped', patiently, async () => {
    const say = await talk();
    await onBoth((firewall) => firewall.run(toldToFirewalld));
    await onBoth((firewall) => firewall.startFirewalld());
    await heal();
    expect(await say('started')).toBe('started');

    await onBoth((firewall) => firewall.reloadFirewalld());
    await heal();
    expect(await say('reloaded')).toBe('reloaded');

    await onBoth((firewall) => firewall.stopFirewalld());
    await heal();
    expect(await say('stopped')).toBe('stopped');
  });

  it('Docker’s nftables backend, which has no chain for others', patiently, async () => {
    const say = await talk();
    for (const [index, host] of hosts.entries()) {
      const bridge = bridgeDevice(`10.200.${index}.0/26`);
      await world.inHost(host, `iptables -F; iptables -X; iptables -P FORWARD ACCEPT; ${dockerTable(bridge)}`);
    }
    await heal();
    expect(await say('with Docker’s table')).toBe('with Docker’s table');
  });
});
