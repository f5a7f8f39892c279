/** Networks over real hosts and real engines: who reaches whom, under which name, and that it lasts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const image = 'plimsoll/hello:1';
const patiently = { timeoutMs: 30_000, intervalMs: 200 };

/** For an answer that must come, on a machine that does much else; and for one that must not. */
const PATIENCE_MS = 15_000;
const VAIN_MS = 1_500;

/** Asks once for a page, by name; prints who answered, or why nobody did. */
const askProgram = `
  const [host, port, patienceMs] = process.argv.slice(1);
  const socket = require('node:net').connect(Number(port), host, () => socket.write('GET / HTTP/1.0\\r\\n\\r\\n'));
  socket.setTimeout(Number(patienceMs), () => { console.log('timeout'); process.exit(); });
  socket.on('error', (error) => console.log(error.code));
  socket.on('data', (data) => {
    const found = /"service":"(\\w+)"/.exec(String(data));
    if (found) { console.log(found[1]); socket.destroy(); }
  });`;
const lookupProgram = `
  require('node:dns').lookup(process.argv[1], { all: true }, (error, found) =>
    console.log(error ? error.code : found.map(({ address }) => address).sort().join(' ')));`;
/** Pages over one connection that is never made anew, until told to end; prints how many came. */
const steadyProgram = `
  const http = require('node:http');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set();
  let pages = 0;
  const next = () => http.get({ host: 'db', agent }, (answer) => {
    sockets.add(answer.socket.localPort);
    answer.resume().on('end', () => { pages += 1; console.log(pages + ' ' + sockets.size); setTimeout(next, 50); });
  }).on('error', (error) => console.log('lost ' + error.code));
  next();`;

describe('networks of the cluster', () => {
  let cluster: Cluster;

  const containerOn = async (service: string) => {
    const [task] = await cluster.settled(service, 1);
    if (!task) throw new Error(`${service} has no task`);
    return { host: task.node, name: `${task.name}.${task.id}` };
  };
  const inside = async (service: string, program: string, ...words: string[]) => {
    const { host, name } = await containerOn(service);
    return cluster.engine(host, 'exec', name, 'node', '-e', program, ...words);
  };
  const ask = (service: string, name: string, { port = 80, patienceMs = PATIENCE_MS } = {}) =>
    inside(service, askProgram, name, String(port), String(patienceMs));
  const lookup = (service: string, name: string) => inside(service, lookupProgram, name);

  beforeAll(async () => {
    cluster = await sharedCluster();
    await cluster.docker('network', 'create', '--driver', 'overlay', '--internal', 'back');
    await cluster.docker('network', 'create', '--driver', 'overlay', 'front');
    const on = (host: string) => ['--constraint', `node.hostname==${host}`];
    await cluster.create('db', '--network', 'back', ...on('h3'), image);
    await cluster.create('api', '--network', 'back', '--network', 'name=front,alias=gate', ...on('h1'), image);
    await cluster.create('web', '--network', 'front', ...on('h2'), image);
    for (const service of ['db', 'api', 'web']) await cluster.settled(service, 1);
  });

  afterAll(async () => {
    await cluster.clear();
    await cluster.try('network', 'rm', 'back', 'front');
  });

  it('lead members to each other by name, alias, slot and virtual address, over two kinds of engines', async () => {
    await eventually(async () => (await ask('api', 'db')) === 'db', patiently);
    expect(await lookup('api', 'db')).toMatch(/^10\.208\./);
    expect(await lookup('api', 'tasks.db')).toMatch(/^10\.20[0-7]\./);
    expect(await lookup('api', 'db.1')).toBe(await lookup('api', 'tasks.db'));
    expect(await ask('api', 'tasks.db')).toBe('db');
    await eventually(async () => (await ask('web', 'gate')) === 'api', patiently);
    expect(await ask('api', 'api')).toBe('api');
  });

  it('keep others out, whatever they know, and let nobody leave an internal one', async () => {
    const address = await lookup('api', 'tasks.db');
    expect(await lookup('web', 'db')).toMatch(/EAI_AGAIN|ENOTFOUND/);
    expect(await ask('web', address, { patienceMs: VAIN_MS })).toBe('timeout');
    expect(await ask('db', cluster.host('h1').address, { port: 7700 })).toMatch(
      /EHOSTUNREACH|ECONNREFUSED|ENETUNREACH/,
    );
  });

  it('outlive agents and resolvers: an open connection goes on, names are answered meanwhile', async () => {
    const { host, name } = await containerOn('api');
    const socket = cluster.host(host).engineSocket;
    const pages = cluster.follow('--host', `unix://${socket}`, 'exec', name, 'node', '-e', steadyProgram);
    try {
      const cameSince = (count: number) => () => (pages.lines.length > count ? pages.lines.at(-1) : undefined);
      await eventually(cameSince(0), patiently);
      for (const part of ['agent:h1', 'agent:h3']) await cluster.lab.command('kill', part);
      await eventually(cameSince(pages.lines.length + 5), patiently);
      expect(await lookup('api', 'db')).toMatch(/^10\.208\./);
      for (const part of ['agent:h1', 'agent:h3']) await cluster.lab.command('start', part);
      await cluster.lab.command('restart', 'dns:h1');
      const last = await eventually(cameSince(pages.lines.length + 20), patiently);
      expect(last).toMatch(/^\d+ 1$/);
    } finally {
      pages.stop();
    }
  });

  it('a network that is used stays; without services it goes, and its addresses with it', async () => {
    const refused = await cluster.try('network', 'rm', 'back');
    expect(refused.stderr).toContain('is in use by service');
    await cluster.docker('service', 'rm', 'db', 'api', 'web');
    await cluster.docker('network', 'rm', 'back', 'front');
  });
});
