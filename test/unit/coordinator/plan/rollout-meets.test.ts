/** What a person expects when something else happens in the middle of an update. */
import { describe, expect, test } from 'vitest';
import type { UpdateConfig } from '../../../../model/service-spec.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const REPLICAS = 6;

/** A service of six replicas whose update to v2 has come to some of its slots. */
function halfWay(UpdateConfig: UpdateConfig = {}): { world: PlanWorld; id: string } {
  const world = new PlanWorld();
  for (const name of ['h1', 'h2', 'h3', 'h4']) world.addNode(name);
  const id = world.addService('web', REPLICAS, { UpdateConfig: { Delay: 5e9, ...UpdateConfig } });
  world.converge();
  world.update(id, 'v2');
  for (let round = 0; round < 12; round += 1) turn(world);
  const done = world.live(id).filter((task) => task.template.ContainerSpec.Image === 'v2').length;
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(REPLICAS);
  return { world, id };
}

function turn(world: PlanWorld): void {
  world.lead();
  world.runAgents();
  world.pass(1_000);
}

interface Course {
  readonly fewestReady: number;
  readonly made: number;
}

/** Until the update has ended one way or the other, for ten minutes at most. */
function goOn(world: PlanWorld, id: string): Course {
  const before = world.done.length;
  let fewestReady = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 600; round += 1) {
    turn(world);
    const ready = world.live(id).filter((task) => world.tables.statuses.get(task.id)?.value.ready).length;
    fewestReady = Math.min(fewestReady, ready);
    const state = world.tables.rollouts.get(id)?.value.state;
    if (round > 2 && state !== 'updating' && state !== 'rollback_started') break;
  }
  world.converge();
  const made = world.done.slice(before).filter((action) => action.kind === 'create-task').length;
  return { fewestReady, made };
}

const images = (world: PlanWorld, id: string) => [
  ...new Set(world.live(id).map((task) => task.template.ContainerSpec.Image)),
];
const state = (world: PlanWorld, id: string) => world.tables.rollouts.get(id)?.value.state;

describe('in the middle of an update', () => {
  test('scaled up: new replicas run the new revision, the update goes on', () => {
    const { world, id } = halfWay();
    world.scale(id, 9);

    goOn(world, id);

    expect(world.live(id)).toHaveLength(9);
    expect(images(world, id)).toEqual(['v2']);
    expect(state(world, id)).toBe('completed');
  });

  test('scaled down: slots that go away are not waited for', () => {
    const { world, id } = halfWay();
    world.scale(id, 2);

    goOn(world, id);

    expect(world.live(id)).toHaveLength(2);
    expect(images(world, id)).toEqual(['v2']);
    expect(state(world, id)).toBe('completed');
  });

  test('another update: it overtakes the first, and never more than one replica is missing', () => {
    const { world, id } = halfWay();
    world.update(id, 'v3');

    const { fewestReady } = goOn(world, id);

    expect(images(world, id)).toEqual(['v3']);
    expect(fewestReady).toBe(REPLICAS - 1);
  });

  test('another update while a task of the first never becomes ready: that slot is the first to get the new one', () => {
    const { world, id } = halfWay();
    world.behaviours.set('stuck', 'never-ready');
    world.update(id, 'stuck');
    for (let round = 0; round < 20; round += 1) turn(world);
    world.update(id, 'v3');

    const { fewestReady } = goOn(world, id);

    expect(images(world, id)).toEqual(['v3']);
    expect(fewestReady).toBe(REPLICAS - 1);
  });

  test('a rollback: only what was updated is replaced', () => {
    const { world, id } = halfWay();
    const updated = world.live(id).filter((task) => task.template.ContainerSpec.Image === 'v2').length;
    world.rollBack(id);

    const { made } = goOn(world, id);

    expect(images(world, id)).toEqual(['good']);
    expect(made).toBe(updated);
    expect(state(world, id)).toBe('rollback_completed');
  });

  test('a node is lost: its replicas run elsewhere, at the new revision, and the update ends', () => {
    const { world, id } = halfWay();
    world.setState(derivedId('node', 'h1'), 'lost');

    goOn(world, id);

    const elsewhere = world.live(id).filter((task) => task.nodeId !== derivedId('node', 'h1'));
    expect(elsewhere).toHaveLength(REPLICAS);
    expect(new Set(elsewhere.map((task) => task.template.ContainerSpec.Image))).toEqual(new Set(['v2']));
    expect(state(world, id)).toBe('completed');
  });

  test.each([0, 1, 2, 3, 4])('the leader dies after %i writes of each plan: its successor goes on', (writes) => {
    const { world, id } = halfWay();

    for (let round = 0; round < 40; round += 1) {
      world.lead(writes);
      turn(world);
    }
    const { fewestReady } = goOn(world, id);

    expect(images(world, id)).toEqual(['v2']);
    expect(fewestReady).toBeGreaterThanOrEqual(REPLICAS - 1);
  });

  test('a rollback of start-first: no healthy task of the old revision is replaced', () => {
    const { world, id } = halfWay({ Order: 'start-first' });
    const old = new Set(
      world
        .live(id)
        .filter((task) => task.template.ContainerSpec.Image === 'good')
        .map((task) => task.id),
    );
    world.rollBack(id);

    const { fewestReady } = goOn(world, id);

    expect(fewestReady).toBeGreaterThanOrEqual(REPLICAS - 1);
    const kept = world.live(id).filter((task) => old.has(task.id));
    expect(kept).toHaveLength(old.size);
  });
});

describe('the progress deadline', () => {
  const bad = { FailureAction: 'pause' } as const;

  function stuck(labels: Record<string, string> = {}, UpdateConfig: UpdateConfig = bad) {
    const world = new PlanWorld();
    for (const name of ['h1', 'h2', 'h3']) world.addNode(name);
    const id = world.addService('web', 3, { Labels: labels, UpdateConfig });
    world.converge();
    world.behaviours.set('stuck', 'never-ready');
    world.update(id, 'stuck');
    turn(world);
    turn(world);
    return { world, id };
  }

  test('after ten minutes without a ready task the failure action applies', () => {
    const { world, id } = stuck();
    world.pass(9 * 60_000);
    turn(world);
    expect(state(world, id)).toBe('updating');

    world.pass(61_000);
    turn(world);

    expect(world.tables.rollouts.get(id)?.value).toMatchObject({
      state: 'paused',
      message: expect.stringMatching(
        /^update paused due to task [a-z0-9]{25}, which was not ready after 10m \(plimsoll\.update\.progress-deadline\)$/,
      ),
    });
  });

  test('a label says how long', () => {
    const { world, id } = stuck({ 'plimsoll.update.progress-deadline': '30s' });
    world.pass(31_000);
    turn(world);

    expect(state(world, id)).toBe('paused');
  });

  test('the plan asks to be made again when the deadline ends', () => {
    const { world } = stuck({ 'plimsoll.update.progress-deadline': '30s' });

    expect((world.plan().nextAtMs ?? 0) - world.now.wallMs).toBeLessThanOrEqual(30_000);
  });

  test('an old task that takes long to stop has its grace period beside it', () => {
    const world = new PlanWorld();
    world.addNode('h1');
    world.behaviours.set('slow', 'takes-long-to-stop');
    const TaskTemplate = { ContainerSpec: { Image: 'slow', StopGracePeriod: 900e9 } };
    const id = world.addService('web', 1, { TaskTemplate });
    world.converge();
    world.update(id, 'v2');
    for (let round = 0; round < 4; round += 1) turn(world);

    world.pass(14 * 60_000);
    turn(world);
    expect(state(world, id)).toBe('updating');
    world.pass(10 * 60_000);
    turn(world);
    expect(state(world, id)).toBe('updating');
    expect(world.plan().nextAtMs ?? 0).toBeGreaterThan(world.now.wallMs);

    world.pass(60_000);
    turn(world);
    expect(state(world, id)).toBe('paused');
  });

  test('counts from when the old task is gone, however long that took', () => {
    const world = new PlanWorld();
    world.addNode('h1');
    world.behaviours.set('slow', 'takes-long-to-stop');
    world.behaviours.set('stuck', 'never-ready');
    const TaskTemplate = { ContainerSpec: { Image: 'slow', StopGracePeriod: 900e9 } };
    const id = world.addService('web', 1, { TaskTemplate });
    world.converge();
    world.update(id, 'stuck');
    for (let round = 0; round < 4; round += 1) turn(world);
    world.pass(9 * 60_000);
    world.behaviours.delete('slow');
    for (let round = 0; round < 4; round += 1) turn(world);

    world.pass(9 * 60_000);
    turn(world);
    expect(state(world, id)).toBe('updating');
    world.pass(60_000);
    turn(world);
    expect(state(world, id)).toBe('paused');
  });

  test('a new task that waits for room another slot makes is given time as long as there is progress', () => {
    const world = new PlanWorld();
    world.addNode('h1', { nanoCpus: 3e9 });
    const Resources = { Reservations: { NanoCPUs: 1e9 } };
    const TaskTemplate = { ContainerSpec: { Image: 'good' }, Resources };
    const UpdateConfig = { Order: 'start-first', Parallelism: 2 } as const;
    const id = world.addService('web', 2, { TaskTemplate, UpdateConfig });
    world.converge();
    world.behaviours.set('v2', 'never-ready');
    world.update(id, 'v2', { TaskTemplate: { ContainerSpec: { Image: 'v2' }, Resources } });
    turn(world);
    turn(world);
    expect(world.live(id)).toHaveLength(3);

    world.pass(9 * 60_000);
    world.behaviours.delete('v2');
    turn(world);
    world.behaviours.set('v2', 'never-ready');
    for (let round = 0; round < 7; round += 1) turn(world);
    world.pass(8 * 60_000);
    turn(world);
    expect(state(world, id)).toBe('updating');
    world.behaviours.delete('v2');
    goOn(world, id);

    expect(state(world, id)).toBe('completed');
  });

  test('without any progress one that finds no room is overdue', () => {
    const world = new PlanWorld();
    world.addNode('h1', { nanoCpus: 2e9 });
    const Resources = { Reservations: { NanoCPUs: 1e9 } };
    const TaskTemplate = { ContainerSpec: { Image: 'good' }, Resources };
    const id = world.addService('web', 2, { TaskTemplate, UpdateConfig: { Order: 'start-first' } });
    world.converge();
    world.update(id, 'v2', { TaskTemplate: { ContainerSpec: { Image: 'v2' }, Resources } });
    turn(world);

    world.pass(10 * 60_000);
    turn(world);

    expect(state(world, id)).toBe('paused');
  });

  test('rollback is one of the failure actions', () => {
    const { world, id } = stuck({}, { FailureAction: 'rollback' });
    world.pass(601_000);

    goOn(world, id);

    expect(images(world, id)).toEqual(['good']);
    expect(state(world, id)).toBe('rollback_completed');
  });
});

describe('a paused update', () => {
  function paused() {
    const { world, id } = halfWay();
    world.behaviours.set('bad', 'no-image');
    world.update(id, 'bad', { UpdateConfig: { Parallelism: 1 } });
    goOn(world, id);
    expect(state(world, id)).toBe('paused');
    return { world, id };
  }

  test('stays paused when the service is scaled', () => {
    const { world, id } = paused();
    world.scale(id, REPLICAS + 1);
    world.converge();

    expect(state(world, id)).toBe('paused');
    expect(world.live(id).length).toBeGreaterThan(REPLICAS);
  });

  test('goes on with the slots that are left when the service is updated with the same words', () => {
    const { world, id } = paused();
    const slotsBefore = Object.keys(world.tables.rollouts.get(id)?.value.slots ?? {});
    world.behaviours.set('bad', 'good');
    world.updateAsIs(id);

    goOn(world, id);

    expect(slotsBefore.length).toBeLessThan(REPLICAS);
    expect(images(world, id)).toEqual(['bad']);
    expect(state(world, id)).toBe('completed');
  });
});
