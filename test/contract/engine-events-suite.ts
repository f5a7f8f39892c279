/** What an engine tells by itself, and how it behaves when dockerd is dead or hangs. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EngineEvent } from '../../agent/engine/engine.ts';
import { containerLabels } from '../../model/labels.ts';
import { eventually } from '../support/eventually.ts';
import { clusterId, type EngineSubject, healthyCheck, otherCluster, request, workshopAt } from './engine-subject.ts';

/** Part of `engineContract`. */
export function engineEventsContract(subject: () => EngineSubject): void {
  const { look, run, ended } = workshopAt(subject);
  const seen: EngineEvent[] = [];
  let ends = 0;
  let following = new AbortController();
  beforeEach(() => {
    seen.length = 0;
    ends = 0;
    following = new AbortController();
  });
  afterEach(() => following.abort());

  const follow = () =>
    subject().engine.events(
      clusterId,
      (event) => seen.push(event),
      () => {
        ends += 1;
      },
      following.signal,
    );
  const actionsOf = (id: string) => seen.filter(({ containerId }) => containerId === id).map(({ action }) => action);

  test('events() tell a container’s life in order, with its labels, and nothing of other clusters', async () => {
    const { engine } = subject();
    await follow();
    const foreign = await engine.create(request('polite', {}, otherCluster));
    await engine.start(foreign);
    const id = await run('polite');
    await engine.stop(id, 60_000);
    await engine.remove(id);

    await eventually(() => actionsOf(id).includes('destroy'), { what: 'the end is told' });

    const [first, second, ...rest] = actionsOf(id);
    expect([first, second, rest.pop()]).toEqual(['start', 'kill', 'destroy']);
    // Newer engines tell these two in either order.
    expect(rest.sort()).toEqual(['die', 'stop']);
    expect(actionsOf(foreign)).toEqual([]);
    expect(seen.find(({ action }) => action === 'die')?.attributes).toMatchObject({
      exitCode: '143',
      [containerLabels.attempt]: '4',
    });
    expect(seen.every(({ atMs }) => atMs > 0)).toBe(true);
  });

  test('events() tell health, and an end for want of memory', async () => {
    await follow();
    const healthy = await run('polite', { Healthcheck: healthyCheck });
    const eater = await run('eatsMemory', { HostConfig: { Memory: 8 * 2 ** 20, MemorySwap: 8 * 2 ** 20 } });

    await eventually(() => actionsOf(healthy).includes('health_status: healthy'), { what: 'health is told' });
    await eventually(() => actionsOf(eater).includes('die'), { what: 'the end is told' });

    expect(actionsOf(eater)).toContain('oom');
  });

  test('events() end once when nobody wants them any more', async () => {
    await follow();
    following.abort();

    await eventually(() => ends === 1, { what: 'the stream has ended' });
    await run('exitsWith3');

    expect([ends, seen]).toEqual([1, []]);
  });

  test('while dockerd is dead everything is unavailable and events end; containers outlive it', async () => {
    const { engine } = subject();
    const [survivor, victim] = [await run('polite'), await run('deaf')];
    const [before, doomed] = [await look(survivor), await look(victim)];
    await follow();

    await subject().killDockerd();
    await eventually(() => ends === 1, { what: 'the event stream has ended' });
    await expect(engine.ping()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(engine.listOwn(clusterId)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(engine.create(request('polite'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(engine.stop(survivor, 0)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(follow()).rejects.toMatchObject({ code: 'unavailable' });
    await subject().killProcess(doomed);
    await subject().startDockerd();

    expect(await look(survivor)).toEqual(before);
    expect(await ended(victim)).toMatchObject({ pid: undefined });
    expect(seen).toEqual([]);
  });

  test('a dockerd that does not answer is a timeout; what it was asked meanwhile it may do later', async () => {
    const { engine } = subject();
    const id = await run('polite');

    await subject().freezeDockerd();
    await expect(engine.ping()).rejects.toMatchObject({ code: 'timeout' });
    await subject().thawDockerd();

    await eventually(() => engine.ping().then(() => true), { what: 'the engine answers' });
    expect((await look(id)).phase).toBe('running');
  });
}

/** Of an engine that may not keep containers while dockerd is dead. */
export function withoutLiveRestoreContract(subject: () => EngineSubject): void {
  test('a dockerd that comes back ends what it finds running', async () => {
    const { engine } = subject();
    const id = await engine.create(request('deaf'));
    await engine.start(id);
    expect((await engine.describe()).liveRestore).toBe(false);

    await subject().killDockerd();
    await subject().startDockerd();

    const container = await engine.look(clusterId, id);
    expect(container).toMatchObject({ phase: 'exited', exitCode: 137, oomKilled: false, pid: undefined });
  });
}
