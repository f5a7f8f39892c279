/** Encrypted networks between two hosts, by wireguard-go where this machine's kernel has no WireGuard; seen from the wire. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WIREGUARD_DEVICE } from '../../../agent/network/wireguard/wireguard-names.ts';
import { eventually } from '../../support/eventually.ts';
import { runnerIn, startIn } from '../../support/network-namespace.ts';
import { type HostName, OverlayWorld } from '../../support/overlay-world.ts';
import { missingForWireguard } from '../../support/wireguard-host.ts';

/** Answers with all it is sent and who sent it. */
const serverProgram = `
  require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.write(socket.remoteAddress + ' ');
    socket.pipe(socket);
  }).listen(8080, '0.0.0.0', () => console.log('up'));`;
const clientProgram = `
  const [address, word, times, patienceMs] = process.argv.slice(1);
  const sent = word.repeat(Number(times));
  let got = '';
  const socket = require('node:net').connect(8080, address, () => socket.end(sent));
  socket.setTimeout(Number(patienceMs), () => { console.log('timeout'); process.exit(); });
  socket.on('error', (error) => console.log(error.code));
  socket.on('data', (data) => { got += data; });
  socket.on('end', () => console.log(got.slice(0, got.indexOf(' ')), got.endsWith(' ' + sent) ? 'all' : 'part'));`;
/** Sends each line it is given, prints each it gets. */
const talkerProgram = `
  const socket = require('node:net').connect(8080, process.argv[1]);
  socket.on('error', (error) => console.log(error.code));
  process.stdin.pipe(socket); socket.pipe(process.stdout);`;
/** Prints each of its words once it has seen it in a packet. */
const watcherProgram = `
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
wire.bind(('up0', 0))
print('up', flush=True)
words = set(sys.argv[1:])
while words:
    packet = wire.recv(65536)
    for word in [word for word in words if word.encode() in packet]:
        print(word, flush=True)
        words.remove(word)`;

const address = { apiFront: '10.200.2.2', apiVault: '10.200.0.2', web: '10.200.3.2', db: '10.200.1.2' };
const vip = '10.208.0.1';
const PATIENCE_MS = 20_000;
const VAIN_MS = 700;
const SECRET = 'what-only-the-vault-may-know';
const LATE_SECRET = 'what-was-said-without-the-device';
const PLAIN = 'what-the-front-shows-to-all';

const missing = missingForWireguard();
if (missing.length > 0) console.warn(`Encrypted networks are NOT tested: this machine lacks ${missing.join(', ')}`);

describe.skipIf(missing.length > 0)('an encrypted network between two hosts', () => {
  const world = new OverlayWorld(`plimw${process.pid}`);
  const children: ChildProcess[] = [];
  const seen: string[] = [];

  const ask = async (from: string, to: string, word: string, { times = 1, patienceMs = PATIENCE_MS } = {}) => {
    const words = ['-e', clientProgram, to, word, String(times), String(patienceMs)];
    return (await runnerIn(world.namespace(from))(process.execPath, words)).stdout.trim();
  };

  /** A connection that stays open. */
  const talk = async (from: string, to: string) => {
    const words = [`--net=/run/netns/${world.namespace(from)}`, process.execPath, '-e', talkerProgram, to];
    const talker = spawn('nsenter', words);
    children.push(talker);
    const lines = createInterface(talker.stdout);
    return async (text: string) => {
      talker.stdin.write(`${text}\n`);
      return String((await once(lines, 'line'))[0]);
    };
  };

  /** The device as it was made: another one has another number. */
  const deviceOf = (host: HostName) => world.inHost(host, `ip -o link show dev ${WIREGUARD_DEVICE} | cut -d: -f1`);

  const seeSoon = (word: string) =>
    eventually(() => seen.includes(word), { timeoutMs: PATIENCE_MS, intervalMs: 50, what: `${word} to be seen` });

  beforeAll(async () => {
    await world.build();
    // As hosts have: what has no route of its own leaves by the uplink.
    await world.inHost('a', 'ip route add default via 10.88.0.2');
    await world.inHost('b', 'ip route add default via 10.88.0.1');
    world.addEncryptedNetwork('vault', { a: '10.200.0.0/26', b: '10.200.1.0/26' });
    world.addNetwork('front', false, { a: '10.200.2.0/26', b: '10.200.3.0/26' });
    world.addVip('vault', 'db', vip);
    // `api` leaves by `front`, where it comes first: it asks the vault from an address of the network that is not encrypted.
    world.addTask('a', 'api', { front: address.apiFront, vault: address.apiVault });
    world.addTask('b', 'db', { vault: address.db });
    world.addTask('b', 'web', { front: address.web });
    await world.apply();
    await world.plug();
    for (const name of ['api', 'db', 'web']) {
      children.push(await startIn(world.namespace(name), process.execPath, ['-e', serverProgram]));
    }
    const watching = ['-c', watcherProgram, SECRET, LATE_SECRET, PLAIN];
    const watcher = await startIn(world.namespace('a'), 'python3', ['-u', ...watching]);
    children.push(watcher);
    watcher.stdout?.on('data', (data: Buffer) => seen.push(...data.toString().trim().split('\n')));
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await world.destroy();
  });

  it('carries its members to each other, from whichever address they ask, in packets of any size', async () => {
    expect(await ask('api', address.db, SECRET)).toBe(`${address.apiFront} all`);
    expect(await ask('api', vip, SECRET)).toBe(`${address.apiFront} all`);
    expect(await ask('db', address.apiVault, SECRET)).toBe(`${address.db} all`);
    expect(await ask('api', address.db, SECRET, { times: 20_000 })).toBe(`${address.apiFront} all`);
  });

  it('keeps others out', async () => {
    expect(await ask('web', address.apiVault, SECRET, { patienceMs: VAIN_MS })).toBe('timeout');
  });

  it('nothing of it is to be read between the hosts, where other networks are', async () => {
    expect(await ask('api', address.web, PLAIN)).toBe(`${address.apiFront} all`);
    await seeSoon(PLAIN);
    expect(seen).not.toContain(SECRET);
  });

  it('an agent that starts again keeps device and connections', async () => {
    const say = await talk('api', vip);
    expect(await say('before')).toContain('before');
    const device = await deviceOf('a');
    world.forget('a');
    await world.apply();
    expect(await deviceOf('a')).toBe(device);
    expect(await say('after')).toBe('after');
  });

  it('without its device it carries nothing, rather than in clear; the device is made again and connections go on', async () => {
    const say = await talk('api', vip);
    expect(await say('before')).toContain('before');
    await world.inHost('a', `ip link delete dev ${WIREGUARD_DEVICE}`);
    expect(await ask('api', address.db, LATE_SECRET, { patienceMs: VAIN_MS })).toBe('timeout');
    expect(await ask('db', address.apiVault, LATE_SECRET, { patienceMs: VAIN_MS })).toBe('timeout');
    await world.host('a').check();
    expect(await ask('api', address.db, 'again')).toBe(`${address.apiFront} all`);
    expect(await say('after')).toBe('after');
    expect(seen).not.toContain(LATE_SECRET);
  });

  it('leaves nothing behind', async () => {
    await world.host('a').clear();
    expect(await world.inHost('a', `ip link show dev ${WIREGUARD_DEVICE} 2>&1 || true`)).toContain('does not exist');
    expect(await world.inHost('a', 'ip rule show')).not.toContain('4243');
  });
});
