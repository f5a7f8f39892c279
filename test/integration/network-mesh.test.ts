import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHostCommand } from '../../agent/network/command-runner.ts';
import { checkIngressSupport } from '../../agent/network/preflight.ts';
import { type MeshHost, MeshWorld } from '../support/mesh-world.ts';
import { runnerIn, startIn } from '../support/network-namespace.ts';

/** Answers every line and datagram with its name and the address the caller had. */
const serverProgram = `
  const name = process.argv[1];
  require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write(name + ' ' + socket.remoteAddress + '\\n'));
  }).listen(8080, '0.0.0.0', () => console.log('up'));
  const udp = require('node:dgram').createSocket('udp4');
  udp.on('message', (_, from) => udp.send(name + ' ' + from.address, from.port, from.address));
  udp.bind(8053);`;
/** Asks each of the addresses once, from one local port if it is given one; prints all answers in order. */
const clientProgram = `
  const [port, localPort, ...addresses] = process.argv.slice(1);
  const ask = (host) => new Promise((resolve) => {
    const socket = require('node:net').connect({ host, port: Number(port), ...(localPort !== '0' && { localPort: Number(localPort) }) });
    socket.setTimeout(8000, () => resolve('timeout'));
    socket.on('connect', () => socket.write('x\\n')).on('error', (error) => resolve(error.code));
    socket.on('data', (data) => resolve(String(data).trim()));
  });
  Promise.all(addresses.map(ask)).then((answers) => { console.log(answers.join('\\n')); process.exit(); });`;
/** Sends a datagram from one port until \`count\` answers came; prints them. */
const datagramProgram = `
  const [address, count] = process.argv.slice(1);
  const udp = require('node:dgram').createSocket('udp4');
  const answers = [];
  udp.on('message', (data) => {
    answers.push(String(data));
    if (answers.length >= Number(count)) { console.log(answers.join('\\n')); process.exit(); }
  });
  udp.bind(0, () => setInterval(() => udp.send('x', 53, address), 20));
  setTimeout(() => { console.log('timeout'); process.exit(); }, 8000);`;
/** Sends each line it is given, prints each it gets. */
const talkerProgram = `
  const [address, port] = process.argv.slice(1);
  const socket = require('node:net').connect(Number(port), address, () => console.log('open'));
  socket.on('error', (error) => console.log(error.code));
  process.stdin.pipe(socket); socket.pipe(process.stdout);`;

const supported =
  process.getuid?.() === 0 &&
  (await checkIngressSupport(runHostCommand).then(
    () => true,
    () => false,
  ));

describe.skipIf(!supported)('the routing mesh between three hosts', () => {
  const world = new MeshWorld(`plimm${process.pid}`);
  const servers: ChildProcess[] = [];
  const client = world.address('client');

  const askAll = async (from: string, addresses: readonly string[], localPort = 0) => {
    const words = ['-e', clientProgram, '80', String(localPort), ...addresses];
    const { stdout } = await runnerIn(world.namespace(from))(process.execPath, words);
    return stdout.trim().split('\n');
  };
  const ask = async (from: string, address: string) => (await askAll(from, [address]))[0] ?? '';
  const askOften = (from: string, host: MeshHost) =>
    askAll(
      from,
      Array.from({ length: 24 }, () => world.address(host)),
    );
  const datagrams = async (host: MeshHost, count = 1) => {
    const words = ['-e', datagramProgram, world.address(host), String(count)];
    return (await runnerIn(world.namespace('client'))(process.execPath, words)).stdout.trim().split('\n');
  };
  const setReady = async (...names: readonly string[]) => {
    for (const task of world.tasks) task.ready = names.includes(task.name);
    await world.apply();
  };

  /** One connection from the client, line by line. */
  const talker = async (address: string) => {
    const words = [
      `--net=/run/netns/${world.namespace('client')}`,
      process.execPath,
      '-e',
      talkerProgram,
      address,
      '80',
    ];
    const child = spawn('nsenter', words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('open');
    const say = async (line: string): Promise<unknown> => {
      child.stdin.write(`${line}\n`);
      return (await lines.next()).value;
    };
    return { say, stop: () => child.kill('SIGKILL') };
  };

  beforeAll(async () => {
    await world.build();
    await world.addTask('c', 'c1');
    await world.addTask('c', 'c2');
    await world.addTask('b', 'b1');
    for (const { name } of world.tasks) {
      servers.push(await startIn(world.namespace(name), process.execPath, ['-e', serverProgram, name]));
    }
  });

  afterAll(async () => {
    for (const server of servers) {
      server.kill('SIGKILL');
      await once(server, 'close');
    }
    await world.destroy();
  });

  it('answers on every node, with the client’s address, over TCP and UDP', async () => {
    await setReady('c1');

    for (const host of ['a', 'b', 'c'] as const) {
      expect(await ask('client', world.address(host))).toBe(`c1 ${client}`);
      expect(await datagrams(host)).toEqual([`c1 ${client}`]);
    }
  });

  it('keeps connections apart that come from one port through two nodes, as behind a load balancer', async () => {
    const answers = await askAll('client', [world.address('a'), world.address('b'), world.address('c')], 40_123);

    expect(answers).toEqual([`c1 ${client}`, `c1 ${client}`, `c1 ${client}`]);
  });

  it('answers a node’s own programs and containers, on localhost too', async () => {
    expect(await ask('a', '127.0.0.1')).toBe(`c1 ${world.address('a')}`);
    expect(await ask('a', world.address('a'))).toBe(`c1 ${world.address('a')}`);
    expect(await ask('c', world.address('b'))).toBe(`c1 ${world.address('b')}`);
    expect(await ask('b1', world.address('a'))).toMatch(/^c1 /);
    expect(await ask('c1', world.address('b'))).toMatch(/^c1 /);
  });

  it('spreads over all tasks wherever it is asked', async () => {
    await setReady('c1', 'c2', 'b1');

    for (const host of ['a', 'b', 'c'] as const) {
      const names = new Set((await askOften('client', host)).map((answer) => answer.split(' ')[0]));
      expect([...names].sort()).toEqual(['b1', 'c1', 'c2']);
    }
  });

  it('sends a task that is withdrawn nothing from its own node, and still takes what others send for its port', async () => {
    await setReady('c1');
    await world.ingress('c').withdraw('c1');

    expect(await ask('client', world.address('a'))).toBe(`c1 ${client}`);
    await setReady('b1');
    expect(new Set(await askOften('client', 'c'))).toEqual(new Set([`b1 ${client}`]));
  });

  it('keeps an open connection over a new agent, a change of tasks and a ruleset that was flushed', async () => {
    await setReady('c1');
    const talk = await talker(world.address('a'));
    expect(await talk.say('x')).toBe(`c1 ${client}`);

    await setReady('b1');
    expect(await talk.say('x')).toBe(`c1 ${client}`);

    for (const host of ['a', 'c'] as const) {
      world.begin(host);
      await runnerIn(world.namespace(host))('nft', ['flush', 'ruleset']);
    }
    await world.apply();
    expect(await talk.say('x')).toBe(`c1 ${client}`);
    talk.stop();
  });

  it('moves a busy UDP client off a task that is gone', async () => {
    await setReady('c1');
    const words = ['-e', datagramProgram, world.address('a'), '100'];
    const talking = runnerIn(world.namespace('client'))(process.execPath, words);
    await setReady('b1');

    const answers = (await talking).stdout.trim().split('\n');
    expect(answers.at(-1)).toBe(`b1 ${client}`);
  });

  it('sends a client to one task by its address, wherever it asks, if the service wants that', async () => {
    for (const task of world.tasks) Object.assign(task, { affinity: 'client-ip' });
    await setReady('c1', 'c2', 'b1');

    const answers = [...(await askOften('client', 'a')), ...(await askOften('client', 'b'))];
    answers.push(...(await askOften('client', 'c')));
    expect(new Set(answers).size).toBe(1);
    for (const task of world.tasks) Object.assign(task, { affinity: 'none' });
  });

  it('hides the client’s address if the service wants that', async () => {
    for (const task of world.tasks) Object.assign(task, { masquerade: true });
    await setReady('c1');

    expect(await ask('client', world.address('a'))).toBe('c1 172.30.0.1');
    expect(await ask('client', world.address('c'))).toBe('c1 172.30.0.1');
    for (const task of world.tasks) Object.assign(task, { masquerade: false });
  });

  it('leaves nothing behind', async () => {
    await world.clear();

    const run = runnerIn(world.namespace('a'));
    expect((await run('nft', ['list', 'tables', 'ip'])).stdout).not.toContain('plimsoll');
    expect((await run('ip', ['rule', 'show'])).stdout).not.toContain('4242');
    expect((await run('ip', ['link', 'show'])).stdout).not.toContain('plimsoll');
    expect(await ask('client', world.address('a'))).toBe('ECONNREFUSED');
  });
});
