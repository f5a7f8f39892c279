/** What every implementation of Engine must do; run on the fake one and on Docker Engines, old and new. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../agent/engine/engine.ts';
import { eventually } from '../support/eventually.ts';
import { engineEventsContract } from './engine-events-suite.ts';
import {
  clusterId,
  type EngineSubject,
  engineTestImage,
  healthyCheck,
  otherCluster,
  request,
  unhealthyCheck,
  workshopAt,
} from './engine-subject.ts';

/** Declares the tests; `start` is called before all of them by the caller, `subject` answers what it made. */
export function engineContract(subject: () => EngineSubject): void {
  let engine: Engine;
  beforeEach(() => {
    engine = subject().engine;
  });
  afterEach(() => subject().clean());

  const { look, run, ended } = workshopAt(subject);

  test('create() makes a container that has not run, with its labels', async () => {
    const wanted = request('polite');
    const id = await engine.create(wanted);

    expect(await engine.look(clusterId, id)).toMatchObject({
      id,
      name: wanted.name,
      phase: 'created',
      slot: 2,
      revision: 3,
      attempt: 4,
      image: engineTestImage,
      labels: wanted.body.Labels,
      health: 'none',
      pid: undefined,
      address: undefined,
      exitCode: 0,
      oomKilled: false,
      error: '',
      startedAtMs: undefined,
      finishedAtMs: undefined,
    });
    expect(await engine.look(clusterId, wanted.name)).toMatchObject({ id });
  });

  test('create() refuses a name that is taken', async () => {
    const wanted = request('polite');
    const id = await engine.create(wanted);

    const again = engine.create(wanted);

    await expect(again).rejects.toMatchObject({ code: 'conflict' });
    await expect(again).rejects.toThrow(id);
  });

  test('an image that is not there is not found at creation, and says so when asked', async () => {
    const absent = request('polite', { Image: 'plimsoll/absent:1' });

    await expect(engine.create(absent)).rejects.toMatchObject({ code: 'not-found' });
    await expect(engine.create(absent)).rejects.toThrow('No such image: plimsoll/absent:1');
    expect(await engine.hasImage('plimsoll/absent:1')).toBe(false);
    expect(await engine.hasImage(engineTestImage)).toBe(true);
  });

  test('pull() of what no registry has fails with words, and not as if the engine were away', async () => {
    const failure = await engine.pull('plimsoll/absent:1', new AbortController().signal).catch((error) => error);

    expect(['not-found', 'internal', 'invalid']).toContain(failure.code);
    expect(failure.message).not.toBe('');
  });

  test('removeImage() is fine with an image in use and with one that is not there', async () => {
    await run('polite');

    await engine.removeImage(engineTestImage);
    await engine.removeImage('plimsoll/absent:1');

    expect(await engine.hasImage(engineTestImage)).toBe(true);
  });

  test('start() makes it run, and is fine with one that runs', async () => {
    const id = await run('polite');
    await engine.start(id);

    const container = await look(id);
    expect(container).toMatchObject({ phase: 'running', health: 'none', exitCode: 0, error: '' });
    expect(container.pid).toBeGreaterThan(0);
    expect(container.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(container.startedAtMs).toBeGreaterThan(0);
    expect(container.finishedAtMs).toBeUndefined();
  });

  test('start() of a container that was removed is not found', async () => {
    const id = await engine.create(request('polite'));
    await engine.remove(id);

    await expect(engine.start(id)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('start() of a program that is not there is refused, and the container says why', async () => {
    const id = await engine.create(request('absent'));

    await expect(engine.start(id)).rejects.toMatchObject({ code: 'invalid' });

    const container = await look(id);
    expect(container).toMatchObject({ phase: 'created', exitCode: 127 });
    expect(container.error).not.toBe('');
  });

  test('stop() ends a program that listens at once, and is fine with one that has ended or is gone', async () => {
    const id = await run('polite');

    await engine.stop(id, 60_000);

    const container = await look(id);
    expect(container).toMatchObject({ phase: 'exited', exitCode: 143, oomKilled: false, pid: undefined });
    expect(container.address).toBeUndefined();
    expect(container.finishedAtMs).toBeGreaterThanOrEqual(container.startedAtMs ?? Number.POSITIVE_INFINITY);
    await engine.stop(id, 0);
    await engine.remove(id);
    await engine.stop(id, 0);
  });

  test('stop() kills a program that does not listen after its grace', async () => {
    const id = await run('deaf');

    await engine.stop(id, 1_000);

    expect(await look(id)).toMatchObject({ phase: 'exited', exitCode: 137, oomKilled: false });
  });

  test('two stop()s of one container both wait for its end', async () => {
    const id = await run('deaf');

    await Promise.all([engine.stop(id, 1_000), engine.stop(id, 1_000)]);

    expect(await look(id)).toMatchObject({ phase: 'exited', exitCode: 137 });
  });

  test('remove() refuses a running container; a stopped one goes, its name is free, and again is fine', async () => {
    const wanted = request('polite');
    const id = await engine.create(wanted);
    await engine.start(id);
    await expect(engine.remove(id)).rejects.toMatchObject({ code: 'conflict' });
    await engine.stop(id, 0);

    await engine.remove(id);
    await engine.remove(id);

    expect(await engine.look(clusterId, id)).toBeUndefined();
    expect(await engine.listOwn(clusterId)).toEqual([]);
    await engine.create(wanted);
  });

  test('a program that ends by itself shows its exit code', async () => {
    const id = await run('exitsWith3');

    expect(await ended(id)).toMatchObject({ exitCode: 3, oomKilled: false, error: '', pid: undefined });
  });

  test('a program killed from outside has ended with 137', async () => {
    const id = await run('deaf');

    await subject().killProcess(await look(id));

    expect(await ended(id)).toMatchObject({ exitCode: 137, oomKilled: false });
  });

  test('a program that takes more memory than its limit was killed for that', async () => {
    const id = await run('eatsMemory', { HostConfig: { Memory: 8 * 2 ** 20, MemorySwap: 8 * 2 ** 20 } });

    expect(await ended(id)).toMatchObject({ exitCode: 137, oomKilled: true });
  });

  test('an exited container can be started again', async () => {
    const id = await run('polite');
    await engine.stop(id, 0);

    await engine.start(id);

    expect(await look(id)).toMatchObject({ phase: 'running', exitCode: 0 });
  });

  test('listOwn() and look() know the containers of one cluster, listRaw() and inspectRaw() all', async () => {
    const own = await run('polite');
    const foreign = await engine.create(request('polite', {}, otherCluster));

    expect((await engine.listOwn(clusterId)).map(({ id }) => id)).toEqual([own]);
    expect(await engine.listOwn(clusterId)).toEqual([await look(own)]);
    expect(await engine.look(clusterId, foreign)).toBeUndefined();
    expect((await engine.listRaw(true)).map(({ Id }) => Id).sort()).toEqual([own, foreign].sort());
    expect((await engine.listRaw(false)).map(({ Id }) => Id)).toEqual([own]);
    expect(await engine.inspectRaw(foreign)).toMatchObject({ Id: foreign, State: { Status: 'created' } });
    await expect(engine.inspectRaw('nothing')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('logs() of a container that is gone are not found', async () => {
    const options = { follow: false, tail: 'all', sinceSeconds: 0, untilSeconds: 0, timestamps: false } as const;
    const both = { ...options, stdout: true, stderr: true };
    const read = async () => {
      for await (const chunk of engine.logs('nothing', both, new AbortController().signal)) void chunk;
    };

    await expect(read()).rejects.toMatchObject({ code: 'not-found' });
  });

  test('describe() says what engine it is', async () => {
    const description = await engine.describe();

    expect(description).toMatchObject({ os: 'linux', liveRestore: true, loggingDriver: 'json-file' });
    expect(description.cpus).toBeGreaterThan(0);
    expect(description.memoryBytes).toBeGreaterThan(0);
    expect(description.rootDir).toMatch(/^\//);
  });

  test('a health check that succeeds makes it healthy; ended, it is not', async () => {
    const id = await run('polite', { Healthcheck: healthyCheck });

    await eventually(async () => (await look(id)).health === 'healthy', { what: 'the container is healthy' });
    await engine.stop(id, 0);

    expect((await look(id)).health).toBe('unhealthy');
  });

  test('a health check that fails makes it unhealthy, and it runs on', async () => {
    const id = await run('polite', { Healthcheck: unhealthyCheck });
    expect(['starting', 'unhealthy']).toContain((await look(id)).health);

    await eventually(async () => (await look(id)).health === 'unhealthy', { what: 'the container is unhealthy' });

    expect((await look(id)).phase).toBe('running');
  });

  engineEventsContract(subject);
}
