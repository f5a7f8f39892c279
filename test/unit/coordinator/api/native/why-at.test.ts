/** `plim why --at`: plans as they are made, remembered by a bus in memory, asked for later. */
import { beforeEach, describe, expect, it } from 'vitest';
import { subjects } from '../../../../../bus/subjects.ts';
import { explainAt } from '../../../../../coordinator/api/native/why-at.ts';
import { decisionsOf } from '../../../../../coordinator/past/decisions.ts';
import { actionsOf } from '../../../../../coordinator/plan/actions.ts';
import { WhyAnswer } from '../../../../../model/native-api.ts';
import type { PastExit } from '../../../../../model/past.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../../support/memory-bus.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

const MINUTE_MS = 60_000;

/** Counts how often somebody goes through all of it. */
class CountingMap<K, V> extends Map<K, V> {
  walks = 0;

  override values(): MapIterator<V> {
    this.walks += 1;
    return super.values();
  }

  override entries(): MapIterator<[K, V]> {
    this.walks += 1;
    return super.entries();
  }
}

let world: PlanWorld;
let connection: MemoryConnection;

beforeEach(() => {
  world = new PlanWorld();
  connection = new MemoryServer({ clock: new FakeClock() }).connect();
});

/** As the leader: plans, carries out, writes down. */
async function lead(): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    const snapshot = world.snapshot();
    const made = world.plan();
    const done = actionsOf(made);
    world.carryOutAll(done);
    for (const decision of decisionsOf(done, made.tables, snapshot, world.now.wallMs)) {
      await connection.bus.publishDurably(subjects.pastDecisions(decision.serviceId), decision);
    }
    if (!world.runAgents() && done.length === 0) return;
  }
}

async function ended(serviceId: string, attempt: number, exitCode: number): Promise<void> {
  const task = world.live(serviceId)[0];
  if (!task) throw new Error('no task');
  const { id: taskId, nodeId } = task;
  const error = `task: non-zero exit (${exitCode})`;
  const what = { attempt, containerId: 'c', exitCode, oomKilled: false, error, state: 'failed' } as const;
  const past: PastExit = { v: 1, taskId, nodeId, exit: { ...what, finishedAtMs: world.now.wallMs } };
  await connection.bus.publishDurably(subjects.pastExits(serviceId, '1'), past);
}

async function whyAt(term: string, atMs: number): Promise<WhyAnswer> {
  const question = { snapshot: world.snapshot(), bus: connection.bus, atMs, nowMs: world.now.wallMs };
  return WhyAnswer.parse(await explainAt(term, question));
}

describe('explainAt()', () => {
  it('tells where a task was, why, and how placement found the nodes then', async () => {
    const [h1] = ['h1', 'h2'].map((name) => world.addNode(name));
    world.setAvailability(h1 ?? '', 'pause');
    world.addService('web', 1);
    await lead();
    const thenMs = world.now.wallMs + MINUTE_MS;
    world.pass(10 * MINUTE_MS);
    world.setAvailability(h1 ?? '', 'active');
    world.setAvailability(
      world.live(world.service([...world.tables.services.keys()][0] ?? '').id)[0]?.nodeId ?? '',
      'drain',
    );
    await lead();

    const [then, now] = [await whyAt('web.1', thenMs), await whyAt('web.1', world.now.wallMs)];

    expect(then.facts).toContain('ran revision 1 on h2: the service wants this replica');
    expect(then.placement?.nodes).toMatchObject([
      { node: 'h2', score: { copies: 0, tasks: 0 } },
      { node: 'h1', objection: 'paused' },
    ]);
    expect(then.parts).toMatchObject([{ name: 'web.1', state: 'since 60 s', node: 'h2' }]);
    expect(now.parts).toMatchObject([{ name: 'web.1', node: 'h1' }]);
  });

  it('tells what a task waited for, and the restarts until then, each once', async () => {
    const id = world.addService('web', 1);
    await lead();
    const waitingMs = world.now.wallMs;
    world.pass(MINUTE_MS);
    world.addNode('h1');
    await lead();
    for (const [attempt, code] of [
      [1, 3],
      [1, 3],
      [2, 4],
    ] as const) {
      world.pass(MINUTE_MS);
      await ended(id, attempt, code);
    }

    const waiting = await whyAt('web.1', waitingMs);
    const between = await whyAt('web', world.now.wallMs - 1);
    const after = await whyAt('web.1', world.now.wallMs);

    expect(waiting.facts[1]).toBe('waited for a node: no suitable node (the cluster has no nodes)');
    expect(between.parts[0]?.reason).toMatch(/^had ended once, last: task: non-zero exit \(3\); /);
    expect(after.parts.map(({ name, reason }) => [name, reason.split(';')[0]])).toEqual([
      ['web.1', 'had ended 2 times, last: task: non-zero exit (4)'],
      ['attempt 2', 'task: non-zero exit (4)'],
      ['attempt 1', 'task: non-zero exit (3)'],
    ]);
  });

  it('tells how an update went', async () => {
    world.addNode('h1');
    const id = world.addService('web', 1);
    await lead();
    world.pass(MINUTE_MS);
    world.behaviours.set('missing', 'no-image');
    world.update(id, 'missing');
    await lead();

    const { facts } = await whyAt('web', world.now.wallMs);

    expect(facts.find((fact) => fact.startsWith('paused to revision 2'))).toMatch(/update paused due to failure/);
  });

  it('tells what was told to stop, and of a slot that is gone', async () => {
    world.addNode('h1');
    const id = world.addService('web', 2);
    await lead();
    const beforeMs = world.now.wallMs;
    world.pass(MINUTE_MS);
    world.scale(id, 1);
    await lead();
    world.pass(MINUTE_MS);

    expect((await whyAt('web', beforeMs)).parts.map(({ name }) => name)).toEqual(['web.1', 'web.2']);
    const gone = (await whyAt('web', world.now.wallMs)).parts;
    expect(gone.map(({ name }) => name)).toEqual(['web.1']);
    expect((await whyAt('web.2', world.now.wallMs)).facts.at(-1)).toBe('told to stop 60 s before: scaled down');
  });

  it('refuses, with what is the oldest known, what is not remembered', async () => {
    world.addNode('h1');
    world.pass(10 * MINUTE_MS);
    world.addService('web', 1);
    const madeMs = world.now.wallMs;
    world.pass(MINUTE_MS);
    await lead();

    await expect(whyAt('web', madeMs - 1)).rejects.toThrow(/^web was not there at .*: it was made at /);
    await expect(whyAt('web.1', madeMs + 1)).rejects.toThrow(
      /^No decision about web.1 before \S+ is remembered: of web the oldest known is of \S+ \(kept are the last 256 of each service, and 256 MiB in all\)$/,
    );
    await expect(whyAt('web.7', world.now.wallMs)).rejects.toThrow('No decision about web.7');
    await expect(whyAt('web', world.now.wallMs + 1)).rejects.toMatchObject({ code: 'invalid' });
    await expect(whyAt('nobody', madeMs)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is asked of a task by the beginning of its id as well, and says which when that fits several', async () => {
    world.addNode('h1');
    const id = world.addService('web', 2);
    await lead();
    const [task] = world.live(id);

    const answer = await whyAt(task?.id.slice(0, 12) ?? '', world.now.wallMs);

    expect(answer).toMatchObject({ kind: 'task', id: task?.id, name: `web.${task?.slot}` });
    await expect(whyAt('', world.now.wallMs)).rejects.toThrow('fits several things');
  });

  it('looks at each slot once, however many services there are', async () => {
    world.addNode('h1');
    for (let number = 1; number <= 20; number += 1) world.addService(`web${number}`, 1);
    await lead();
    const slots = new CountingMap(world.snapshot().slots);
    const question = { snapshot: { ...world.snapshot(), slots }, bus: connection.bus, atMs: world.now.wallMs };

    await explainAt('web7', { ...question, nowMs: world.now.wallMs });
    const walksForAService = slots.walks;
    await explainAt('web7.1', { ...question, nowMs: world.now.wallMs });

    expect(walksForAService).toBeLessThanOrEqual(3);
    expect(slots.walks).toBeLessThanOrEqual(6);
  });

  it('of a service whose first decisions are forgotten it tells the tasks that are there, or ended since', async () => {
    world.addNode('h1');
    const id = world.addService('web', 3);
    for (let round = 0; round < 10; round += 1) {
      const done = actionsOf(world.plan());
      world.carryOutAll(done);
      if (!world.runAgents() && done.length === 0) break;
    }
    world.pass(MINUTE_MS);
    const earlyMs = world.now.wallMs;
    world.pass(MINUTE_MS);
    world.scale(id, 4);
    await lead();
    const laterMs = world.now.wallMs;
    world.pass(MINUTE_MS);
    world.scale(id, 2);
    await lead();

    const [early, later] = [await whyAt('web', earlyMs), await whyAt('web', laterMs)];

    expect(early.facts[1]).toMatch(/^at least [23] tasks were placed, 0 waited for a node$/);
    expect(later.facts[1]).toBe('4 tasks were placed, 0 waited for a node');
    expect((await whyAt('web.1', earlyMs)).facts[1]).toMatch(/^ran revision 1 on h1/);
  });

  it('tells how a node was, from its events, and what ran on it', async () => {
    const id = world.addNode('h1');
    world.addService('web', 1);
    await lead();
    const atMs = world.now.wallMs;
    const event = (change: Readonly<Record<string, string>>, eventMs: number) =>
      connection.bus.publishDurably(subjects.event('node', id), {
        kind: 'node',
        id,
        action: 'update',
        attributes: { name: 'h1', ...change },
        atMs: eventMs,
      });
    await event({ 'state.old': 'ready', 'state.new': 'lost', reason: 'no beat' }, atMs + MINUTE_MS);
    await event({ 'availability.old': 'active', 'availability.new': 'drain' }, atMs + 2 * MINUTE_MS);
    world.pass(5 * MINUTE_MS);

    const [early, late] = [await whyAt('h1', atMs), await whyAt('h1', atMs + 3 * MINUTE_MS)];

    expect(early.facts.slice(1)).toEqual(['state ready', 'availability active']);
    expect(late.facts.slice(1)).toEqual(['state lost since 2 min: no beat', 'availability drain since 60 s']);
    expect(early.parts).toMatchObject([{ name: 'web.1', node: 'h1' }]);
    await expect(whyAt('h1', 0)).rejects.toThrow('h1 was not there at');
  });
});
