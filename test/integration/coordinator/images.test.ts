/** Images without a registry: between an old and a new engine, through the bus, by `docker load` and for a task. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DockerEngine } from '../../../agent/engine/docker-engine.ts';
import { ImageStore } from '../../../agent/image-store.ts';
import type { Subscription } from '../../../bus/bus.ts';
import { answerImageRequests } from '../../../coordinator/images/image-relay.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { createLog } from '../../../runtime/log.ts';
import { DockerApiServer, nodeIdOf } from '../../support/docker-api-server.ts';
import { EngineNode } from '../../support/engine-node.ts';
import { type PrivateEngine, startPrivateEngine, testImage } from '../../support/private-engine.ts';

const create = ['service', 'create', '--detach', '--no-resolve-image', '--name'];

let engines: Record<'h1' | 'h2', PrivateEngine>;
let cluster: DockerApiServer;
let nodes: EngineNode[];
let relay: Subscription;
let folder: string;

beforeAll(async () => {
  const [h1, h2] = await Promise.all([startPrivateEngine(), startPrivateEngine({ release: 'modern' })]);
  engines = { h1, h2 };
}, 180_000);
afterAll(async () => {
  await Promise.all(Object.values(engines ?? {}).map((engine) => engine.stop()));
}, 60_000);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-images-'));
  cluster = await DockerApiServer.start();
  const { bus } = cluster.connection;
  const parts = { bus, snapshot: () => cluster.snapshot(), clock: systemClock };
  relay = answerImageRequests({ ...parts, log: createLog('test', 'silent') });
  nodes = [];
  for (const host of ['h1', 'h2'] as const) {
    await cluster.addNode(host);
    nodes.push(new EngineNode(bus, nodeIdOf(host), engines[host].address));
  }
});

afterEach(async () => {
  relay.stop();
  await cluster.stop();
  for (const node of nodes) node.stop();
  rmSync(folder, { recursive: true });
});

const docker = (...args: string[]) => cluster.docker(args);
const has = async (host: 'h1' | 'h2', image: string) => (await engines[host].docker('images', '-q', image)) !== '';
const imageIdOn = (host: 'h1' | 'h2', image: string) => engines[host].docker('inspect', '-f', '{{.Id}}', image);
/** As the agent of a host has it ready for a task. */
const storeOf = (host: 'h1' | 'h2') =>
  new ImageStore(new DockerEngine(engines[host].address, systemClock, createLog('engine', 'silent')), systemClock, {
    image: (request, signal) => cluster.connection.bus.askCoordinatorStream(nodeIdOf(host), 'image', request, signal),
    registryAuth: async function* () {},
  });

describe.each([
  ['h1', 'h2'],
  ['h2', 'h1'],
] as const)('an image that only %s has', (from, to) => {
  const image = `only/on-${from}:1`;
  const ensured = () =>
    storeOf(to).ensure({ image, refresh: false, taskId: derivedId('task') }, new AbortController().signal);

  beforeEach(async () => {
    const id = await engines[from].docker('run', '-d', testImage, 'sh', '-c', `echo ${from} > /made-on`);
    await engines[from].docker('wait', id);
    await engines[from].docker('commit', id, image);
    await engines[from].docker('rm', id);
  });
  afterEach(async () => {
    await engines[from].docker('rmi', '-f', image);
    await engines[to].docker('rmi', '-f', image).catch(() => undefined);
  });

  it('comes to the node whose task needs it, the same by digest, and runs', async () => {
    await docker(...create, 'web', image);
    await cluster.runTasks('web', to, { state: 'preparing' });

    await ensured();

    expect(await imageIdOn(to, image)).toBe(await imageIdOn(from, image));
    expect(await engines[to].docker('run', '--rm', image, 'cat', '/made-on')).toBe(from);
  });

  it('is not given to a node that has no task of it', async () => {
    await expect(ensured()).rejects.toThrow(`No task of this node needs image ${image}`);
    expect(await has(to, image)).toBe(false);
  });

  it('is listed, inspected, saved and removed through the coordinator', async () => {
    const archive = join(folder, 'archive.tar');
    const listed = await docker('images', '--format', '{{.Repository}}:{{.Tag}}');
    const inspected = await docker('image', 'inspect', '-f', '{{.Id}}', image);
    const history = await docker('history', '-q', image);
    const saved = await docker('save', '-o', archive, image);
    const removed = await docker('rmi', image);

    expect(listed.stdout.split('\n').filter((line) => line === image)).toEqual([image]);
    // Imported on each engine: two images, as it happens, of one name.
    expect(listed.stdout.split('\n').filter((line) => line === testImage)).toHaveLength(2);
    expect(inspected.stdout).toMatch(/^sha256:/);
    expect([history.code, saved.code, removed.code]).toEqual([0, 0, 0]);
    expect(removed.stdout).toContain(`Untagged: ${image}`);
    expect(await has(from, image)).toBe(false);
  });
});

describe('docker load', () => {
  const image = 'loaded/once:1';
  afterEach(async () => {
    for (const engine of Object.values(engines)) await engine.docker('rmi', '-f', image).catch(() => undefined);
  });

  it('puts the image on a node, on those whose tasks need it, and on one to spare', async () => {
    const archive = join(folder, 'archive.tar');
    await engines.h1.docker('tag', testImage, image);
    await engines.h1.docker('save', '-o', archive, image);
    await engines.h1.docker('rmi', image);

    const { code, stdout } = await docker('load', '-i', archive);

    expect({ code, stdout }).toEqual({ code: 0, stdout: `Loaded image: ${image}\n${image} is on node h2\n` });
    expect([await has('h1', image), await has('h2', image)]).toEqual([true, true]);
  });

  it('takes an archive that is none for what it is', async () => {
    const { code, stderr } = await docker('load', '-i', '/bin/busybox');

    expect(code).not.toBe(0);
    expect(stderr).not.toBe('');
  });
});

describe('names', () => {
  it('a tag is given on every node that has the image', async () => {
    expect((await docker('tag', testImage, 'named/anew:2')).code).toBe(0);
    expect([await has('h1', 'named/anew:2'), await has('h2', 'named/anew:2')]).toEqual([true, true]);
    expect((await docker('rmi', 'named/anew:2')).code).toBe(0);
  });

  it.each([
    [['image', 'inspect', 'no/such:1']],
    [['history', 'no/such:1']],
    [['save', '-o', join(tmpdir(), 'never-written.tar'), 'no/such:1']],
    [['rmi', 'no/such:1']],
    [['tag', 'no/such:1', 'other:1']],
  ])('%j says that there is no such image', async (args) => {
    const { code, stderr } = await docker(...args);

    expect(code).not.toBe(0);
    expect(stderr).toContain('No such image: no/such:1');
  });

  it('a pull that fails tells the registry’s or the network’s words', async () => {
    const { code, stderr, stdout } = await docker('pull', 'no.such.registry.invalid/web:1');

    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('no.such.registry.invalid');
  });
});
