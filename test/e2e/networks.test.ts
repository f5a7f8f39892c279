/** Networks over real hosts and real engines: who reaches whom, under which name, and that it lasts. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetworkCheck } from '../../model/network-check.ts';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { builtPlim } from '../support/plim.ts';

const image = 'plimsoll/hello:1';
const patiently = { timeoutMs: 30_000, intervalMs: 200 };

/** For what takes many steps. */
const veryPatiently = { timeoutMs: 90_000, intervalMs: 200 };

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

/**
 * New connections one after another, four at a time, and one that is kept; prints how many pages came and, when told to end,
 * what went wrong. A kept connection that ended before the request left is made anew: no request was lost.
 */
const loadProgram = `
  const http = require('node:http');
  const [host, endFile] = process.argv.slice(1);
  let pages = 0, isOver = false;
  const failures = [];
  const askOnce = (agent) => new Promise((resolve) => {
    const request = http.get({ host, agent, timeout: 5000 }, (answer) => {
      answer.resume().on('error', resolve).on('end', () => { pages += 1; resolve(undefined); });
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', (error) => resolve(Object.assign(error, { wasKept: request.reusedSocket })));
  });
  const go = async (agent) => {
    while (!isOver) {
      const error = await askOnce(agent);
      if (error && !(error.wasKept && error.code === 'ECONNRESET')) failures.push(error.code ?? error.message);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const kept = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const all = Promise.all([kept, ...Array(4).fill(new http.Agent())].map(go));
  const saying = setInterval(() => {
    console.log('pages ' + pages);
    if (require('node:fs').existsSync(endFile)) isOver = true;
  }, 100);
  all.then(() => { clearInterval(saying); console.log('failures ' + JSON.stringify(failures)); });`;

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

  it('are counted by the kernel: connections to a task, and from which service they come', async () => {
    const { host } = await containerOn('db');
    const counted = async () => {
      await ask('api', 'db');
      const page = await (await fetch(`http://${cluster.host(host).address}:7701/metrics`)).text();
      const of = (series: string) => Number(new RegExp(`^${series} (\\d+)$`, 'm').exec(page)?.[1] ?? 0);
      const calls = of('plimsoll_service_calls_total\\{from="api",to="db"\\}');
      return calls > 0 && of('plimsoll_task_connections_total\\{service="db",task="\\w+"\\}') >= calls;
    };
    await eventually(counted, patiently);
  });

  it('keep others out, whatever they know, and let nobody leave an internal one', async () => {
    const address = await lookup('api', 'tasks.db');
    expect(await lookup('web', 'db')).toMatch(/EAI_AGAIN|ENOTFOUND/);
    expect(await ask('web', address, { patienceMs: VAIN_MS })).toBe('timeout');
    expect(await ask('db', cluster.host('h1').address, { port: 7700 })).toMatch(
      /EHOSTUNREACH|ECONNREFUSED|ENETUNREACH/,
    );
  });

  it('are encrypted between hosts where it is asked for: what a task sends leaves by WireGuard', async () => {
    await cluster.docker('network', 'create', '--driver', 'overlay', '--opt', 'encrypted', 'vault');
    try {
      await cluster.create('safe', '--network', 'vault', '--constraint', 'node.hostname==h3', image);
      await cluster.create('clerk', '--network', 'vault', '--constraint', 'node.hostname==h1', image);
      await eventually(async () => (await ask('clerk', 'safe')) === 'safe', patiently);
      const received = async () => {
        const [link] = JSON.parse(await cluster.on('h3', 'ip', '-s', '-json', 'link', 'show', 'dev', 'plim-wg'));
        return Number(link.stats64.rx.bytes);
      };
      const before = await received();
      expect(await ask('clerk', 'safe')).toBe('safe');
      expect(await received()).toBeGreaterThan(before);
    } finally {
      await cluster.try('service', 'rm', 'safe', 'clerk');
      await cluster.docker('network', 'rm', 'vault');
    }
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

  it('lose no request while a service is updated, scaled down and drained away from a node', async () => {
    // A busy machine must not make the tasks unhealthy.
    const health = ['--health-retries', '30', '--health-timeout', '10s'];
    const update = ['--update-parallelism', '2', '--update-monitor', '500ms', '--update-order', 'start-first'];
    const flags = [...health, ...update];
    await cluster.create('shop', '--network', 'front', '--replicas', '3', ...flags, image);
    await cluster.settled('shop', 3);
    const { host, name } = await containerOn('web');
    await eventually(async () => (await ask('web', 'shop')) === 'shop', veryPatiently);
    const socket = `unix://${cluster.host(host).engineSocket}`;
    const load = cluster.follow('--host', socket, 'exec', name, 'node', '-e', loadProgram, 'shop', '/end-of-load');
    try {
      await eventually(() => load.lines.some((line) => /^pages [1-9]/.test(line)), veryPatiently);
      await cluster.docker('service', 'update', '--quiet', '--image', 'plimsoll/hello:2', 'shop');
      await cluster.docker('service', 'scale', '--detach', 'shop=2');
      await cluster.settled('shop', 2);
      await cluster.docker('node', 'update', '--availability', 'drain', 'h1');
      await eventually(
        async () => (await cluster.settled('shop', 2)).every(({ node }) => node !== 'h1'),
        veryPatiently,
      );
      await cluster.engine(host, 'exec', name, 'node', '-e', "require('node:fs').writeFileSync('/end-of-load', '')");
      const last = await eventually(() => load.lines.find((line) => line.startsWith('failures')), veryPatiently);
      expect(last).toBe('failures []');
    } finally {
      load.stop();
      await cluster.docker('node', 'update', '--availability', 'active', 'h1');
      await cluster.docker('service', 'rm', 'shop');
    }
  });

  it('tell where a way breaks: plim net check', async () => {
    const { host } = await containerOn('web');
    const { host: far } = await containerOn('api');
    const there = cluster.host(far).address;
    const brokenSteps = async () => {
      const words = ['net', 'check', '--from', 'web.1', '--to', 'gate:80', '--format', 'json'];
      const all = [builtPlim(), ...words, '--socket', cluster.lab.clusterSocket];
      // It ends with 1 where something is broken.
      const ended = await promisify(execFile)(process.execPath, all).catch((error: { stdout: string }) => error);
      return NetworkCheck.parse(JSON.parse(ended.stdout)).findings.flatMap(({ ok, step }) => (ok ? [] : [step]));
    };
    /** The agent mends much of it by itself: while it is looked for, it is broken again and again. */
    const finds = async (step: string, on: string, command: string) => {
      const directory = mkdtempSync(join(tmpdir(), 'plimsoll-broken-'));
      const breaking = cluster.on(on, 'sh', '-c', `while [ -d ${directory} ]; do ${command}; sleep 0.1; done`);
      try {
        const found = async () => (await brokenSteps()).some((each) => each === step);
        await eventually(found, { ...veryPatiently, what: `the check to find the ${step}` });
      } finally {
        rmSync(directory, { recursive: true });
        await breaking;
      }
    };
    const onArrival = (rule: string) =>
      `nft 'add table ip in_the_way; add chain ip in_the_way input { type filter hook input priority 0; };` +
      ` flush chain ip in_the_way input; add rule ip in_the_way input udp dport 4789 ${rule} drop'`;
    await eventually(async () => (await brokenSteps()).length === 0, veryPatiently);

    await finds('map', host, 'nft flush map ip plimsoll_overlay backends');
    await cluster.lab.command('restart', `agent:${host}`);
    await finds('neighbour', host, `ip neigh del ${there} dev plimsoll-vx 2>/dev/null`);
    await finds('firewall', far, onArrival(''));
    await finds('mtu', far, onArrival('meta length > 1300'));
    await cluster.on(far, 'nft', 'delete table ip in_the_way');

    await eventually(async () => (await brokenSteps()).length === 0, veryPatiently);
  });

  it('a network that is used stays; without services it goes, and its addresses with it', async () => {
    const refused = await cluster.try('network', 'rm', 'back');
    expect(refused.stderr).toContain('is in use by service');
    await cluster.docker('service', 'rm', 'db', 'api', 'web');
    await cluster.docker('network', 'rm', 'back', 'front');
  });
});
