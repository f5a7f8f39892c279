import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TUNNEL_PROBE_PORT } from '../../agent/network/overlay/overlay-names.ts';
import { Traffic } from '../../agent/network/traffic/traffic.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { procFilesIn, runnerIn, startIn } from '../support/network-namespace.ts';
import { OverlayWorld } from '../support/overlay-world.ts';

/** Answers every line with its name, the caller's address and the line. */
const serverProgram = `
  const [name, port] = process.argv.slice(1);
  require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => socket.write(name + ' ' + socket.remoteAddress + ' ' + data));
  }).listen(Number(port), '0.0.0.0', () => console.log('up'));`;
const clientProgram = `
  const [address, port, patienceMs] = process.argv.slice(1);
  const socket = require('node:net').connect(Number(port), address, () => socket.write('hello\\n'));
  socket.setTimeout(Number(patienceMs), () => { console.log('timeout'); process.exit(); });
  socket.on('error', (error) => console.log(error.code));
  socket.on('data', (data) => { console.log(String(data).trim()); socket.destroy(); });`;
/** Sends each line it is given, prints each it gets. */
const talkerProgram = `
  const [address, port] = process.argv.slice(1);
  const socket = require('node:net').connect(Number(port), address, () => console.log('open'));
  socket.on('error', (error) => console.log(error.code));
  process.stdin.pipe(socket); socket.pipe(process.stdout);`;

/** As agent/network/watch/tunnel-probe.ts does it. */
const probeProgram = `
  const [from, to, port, bytes, patienceMs] = process.argv.slice(1);
  const over = (word) => { console.log(word); process.exit(); };
  const socket = require('node:dgram').createSocket('udp4').on('error', (error) => over(error.code));
  const failed = (error) => error && over(error.code);
  const send = () => socket.send(Buffer.alloc(Number(bytes)), failed);
  socket.bind({ address: from, port: 0 }, () => socket.connect(Number(port), to, send));
  setTimeout(over, Number(patienceMs), 'timeout');`;

/** Answers every datagram with itself, on port 53. */
const resolverProgram = `
  const socket = require('node:dgram').createSocket({ type: 'udp4', recvBufferSize: 8 * 2 ** 20 });
  socket.on('message', (question, { address, port }) => socket.send(question, port, address));
  socket.bind(53, process.argv[1], () => console.log('up'));`;
/** Sends so many datagrams; prints how many came back, when all have or nothing came for so long. */
const questionsProgram = `
  const [address, count, gapMs, patienceMs] = process.argv.slice(1);
  const socket = require('node:dgram').createSocket('udp4');
  let answers = 0, sent = 0;
  const over = () => { console.log(answers); process.exit(); };
  let quiet;
  socket.on('message', () => { answers += 1; quiet?.refresh(); if (answers === Number(count)) over(); });
  const burst = Number(gapMs) === 0 ? 200 : 1;
  const send = () => {
    for (let i = 0; i < burst && sent < Number(count); i += 1, sent += 1) socket.send('what is web?', () => undefined);
    if (sent < Number(count)) setTimeout(send, Number(gapMs));
    else quiet = setTimeout(over, Number(patienceMs));
  };
  socket.connect(53, address, send);`;

/** For an answer that must come, on a machine that does much else; and for one that must not. */
const PATIENCE_MS = 20_000;
const VAIN_MS = 700;

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)('the overlay between two hosts', () => {
  const world = new OverlayWorld(`plimo${process.pid}`);
  const children: ChildProcess[] = [];
  const address = { db: '10.200.1.2', api: '10.200.0.2', apiFront: '10.200.2.2', web: '10.200.2.3' };
  const vip = { db: '10.208.0.1', api: '10.208.0.2', idle: '10.208.0.3' };

  const ask = async (from: string, to: string, port = 8080, patienceMs = PATIENCE_MS) => {
    const run = runnerIn(world.namespace(from));
    return (await run(process.execPath, ['-e', clientProgram, to, String(port), String(patienceMs)])).stdout.trim();
  };
  const askInVain = (from: string, to: string, port = 8080) => ask(from, to, port, VAIN_MS);
  const serve = async (place: string, port = 8080) => {
    children.push(await startIn(world.namespace(place), process.execPath, ['-e', serverProgram, place, String(port)]));
  };

  /** A connection that stays open. */
  const talk = async (from: string, to: string) => {
    const words = ['-e', talkerProgram, to, '8080'];
    const talker = spawn('nsenter', [`--net=/run/netns/${world.namespace(from)}`, process.execPath, ...words]);
    children.push(talker);
    const lines = createInterface(talker.stdout);
    expect(await once(lines, 'line')).toEqual(['open']);
    const say = async (text: string) => {
      talker.stdin.write(`${text}\n`);
      const [line] = await once(lines, 'line');
      return String(line);
    };
    return { say, end: () => talker.kill('SIGKILL') };
  };

  beforeAll(async () => {
    await world.build();
    // `api` is on both networks and leaves by `back`, where it comes first.
    world.addNetwork('back', true, { a: '10.200.0.0/26', b: '10.200.1.0/26' });
    world.addNetwork('front', false, { a: '10.200.2.0/26' });
    world.addVip('back', 'db', vip.db);
    world.addVip('front', 'api', vip.api);
    world.addVip('front', 'idle', vip.idle);
    world.addTask('b', 'db', { back: address.db });
    world.addTask('a', 'api', { back: address.api, front: address.apiFront });
    world.addTask('a', 'web', { front: address.web });
    await world.apply();
    await world.plug();
    for (const name of ['db', 'api', 'web']) await serve(name);
    await serve('b', 9000);
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await world.destroy();
  });

  it('carries members to each other across hosts, by address and by virtual address', async () => {
    expect(await ask('api', address.db)).toBe(`db ${address.api} hello`);
    expect(await ask('api', vip.db)).toBe(`db ${address.api} hello`);
    expect(await ask('db', address.api)).toBe(`api ${address.db} hello`);
  });

  it('carries members to each other on one host, also where the answer takes the other bridge', async () => {
    expect(await ask('web', address.apiFront)).toBe(`api ${address.web} hello`);
    expect(await ask('web', vip.api)).toContain('api ');
    expect(await ask('api', address.web)).toBe(`web ${address.apiFront} hello`);
  });

  it('lets a service reach itself by its own virtual address', async () => {
    expect(await ask('api', vip.api)).toContain('api ');
  });

  it('keeps others out: no member, no way, by whatever address', async () => {
    expect(await askInVain('web', address.db)).toBe('timeout');
    expect(await askInVain('web', vip.db)).toBe('timeout');
    expect(await askInVain('web', address.api)).toBe('timeout');
    expect(await askInVain('db', address.web)).toBe('timeout');
    expect(await askInVain('a', address.db)).not.toContain('hello');
  });

  it('lets nobody out of an internal network; others leave with the host’s address', async () => {
    expect(await ask('web', '10.88.0.2', 9000)).toBe('b 10.88.0.1 hello');
    expect(await ask('api', '10.88.0.2', 9000)).toBe('b 10.88.0.1 hello');
    expect(await askInVain('db', '10.88.0.1', 9000)).not.toContain('hello');
    expect(await askInVain('db', '10.88.0.2', 9000)).not.toContain('hello');
  });

  it('refuses connections to a virtual address without a ready task', async () => {
    expect(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']).toContain(await ask('web', vip.idle));
    world.setReady('db', false);
    await world.apply();
    expect(await askInVain('api', vip.db)).not.toContain('hello');
    world.setReady('db', true);
    await world.apply();
    expect(await ask('api', vip.db)).toContain('db ');
  });

  it('drops what a container sends under another’s address', async () => {
    const web = runnerIn(world.namespace('web'));
    await web('ip', ['addr', 'add', '10.200.2.40/26', 'dev', 'eth0']);
    const script = clientProgram.replace(
      'connect(Number(port), address',
      "connect({ port: Number(port), host: address, localAddress: '10.200.2.40' }",
    );
    const { stdout } = await web(process.execPath, ['-e', script, '10.88.0.2', '9000', String(VAIN_MS)]);
    expect(stdout.trim()).toBe('timeout');
  });

  it('a restarted agent adopts what is there: an open connection lives on', async () => {
    const talker = await talk('api', vip.db);

    world.forget('a');
    world.forget('b');
    await world.apply();

    expect(await talker.say('still here')).toBe(`db ${address.api} still here`);
    talker.end();
  });

  it('counts connections where they reach a task, once each, and knows who began them', async () => {
    const [api, db] = ['api', 'db'].map((name) => ({ serviceId: derivedId('service', name), serviceName: name }));
    if (!api || !db) throw new Error('there are two services');
    const [clock, namespace] = [new FakeClock(), world.namespace('b')];
    const host = { run: runnerIn(namespace), files: procFilesIn(namespace) };
    const traffic = new Traffic({ ...host, clock, metrics: createMetrics('test', '0') });
    const tasks = [{ ...db, taskId: 'db.1', addresses: [address.db] }];
    const view = { tasks, ranges: [], callers: () => new Map([[address.api, api]]) };
    await traffic.read(view);

    for (const way of [address.db, vip.db]) expect(await ask('api', way)).toContain('db ');
    expect(await ask('b', address.db), 'what the host itself begins does not count').toContain('db ');
    await clock.advance(10_000);

    expect(await traffic.read(view)).toEqual({
      atMs: 10_000,
      byTask: new Map([['db.1', 2]]),
      calls: [{ from: api.serviceId, to: db.serviceId, connectionsPerSecond: 0.2 }],
    });
    await traffic.remove();
    expect(await world.inHost('b', 'nft list tables')).not.toContain('plimsoll_traffic');
  });

  it('a datagram through the tunnel comes back, unless UDP 4789 is blocked', async () => {
    const probe = async (bytes: number, patienceMs = PATIENCE_MS) => {
      const words = ['10.200.0.1', '10.200.1.1', String(TUNNEL_PROBE_PORT), String(bytes), String(patienceMs)];
      return (await runnerIn(world.namespace('a'))(process.execPath, ['-e', probeProgram, ...words])).stdout.trim();
    };
    expect(await probe(8)).toBe('ECONNREFUSED');
    expect(await probe(1_400)).toBe('ECONNREFUSED');

    await world.inHost('b', 'iptables -I INPUT -p udp --dport 4789 -j DROP');
    expect(await probe(8, VAIN_MS)).toBe('timeout');
    await world.inHost('b', 'iptables -D INPUT -p udp --dport 4789 -j DROP');
  });

  it('a container that floods the resolver is bounded, and one beside it gets every answer', async () => {
    const resolver = await startIn(world.namespace('a'), process.execPath, ['-e', resolverProgram, '10.200.2.1']);
    children.push(resolver);
    const questions = async (from: string, ...numbers: readonly number[]) => {
      const words = ['-e', questionsProgram, '10.200.2.1', ...numbers.map(String)];
      return Number((await runnerIn(world.namespace(from))(process.execPath, words)).stdout);
    };
    const [flooding, quiet] = await Promise.all([questions('web', 50_000, 0, 500), questions('api', 20, 20, 5_000)]);

    expect(flooding).toBeGreaterThan(0);
    expect(flooding).toBeLessThan(50_000);
    expect(quiet).toBe(20);
  });

  it.each([
    ['iptables -F, with forwarding dropped as Docker leaves it', 'iptables -F'],
    ['a firewall that drops what it does not know, as ufw does', 'iptables -F; iptables -P INPUT DROP'],
    ['nft flush ruleset', 'nft flush ruleset'],
  ])('connections live on over %s, and new ones come about when the host was looked at', async (_, command) => {
    const talker = await talk('api', vip.db);
    for (const host of ['a', 'b'] as const) await world.inHost(host, command);
    for (const host of ['a', 'b'] as const) await world.host(host).check();

    expect(await ask('api', vip.db)).toBe(`db ${address.api} hello`);
    expect(await talker.say('still here')).toBe(`db ${address.api} still here`);
    talker.end();
  });

  it('leaves nothing behind', async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await world.host('a').clear();
    expect(await world.inHost('a', 'nft list tables')).not.toContain('plimsoll');
    expect(await world.inHost('a', 'ip -o link show')).not.toMatch(/plimb|plimsoll/);
    expect(await world.inHost('a', 'iptables -S')).not.toContain('plimsoll');
  });
});
