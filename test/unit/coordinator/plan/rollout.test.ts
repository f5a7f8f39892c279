import { describe, expect, test } from 'vitest';
import type { ServiceSpec, UpdateConfig } from '../../../../model/service-spec.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

function running(replicas: number, UpdateConfig: UpdateConfig = {}): { world: PlanWorld; id: string } {
  const world = new PlanWorld();
  for (const name of ['h1', 'h2', 'h3']) world.addNode(name);
  const id = world.addService('web', replicas, { UpdateConfig });
  world.converge();
  return { world, id };
}

/** Leader and agents in turn, one second a round, until the roll-out has ended; answers the fewest ready tasks seen. */
function rollOut(world: PlanWorld, id: string): { fewestReady: number; mostLive: number } {
  let fewestReady = Number.POSITIVE_INFINITY;
  let mostLive = 0;
  for (let round = 0; round < 300; round += 1) {
    world.lead();
    world.runAgents();
    const ready = world.live(id).filter((task) => world.tables.statuses.get(task.id)?.value.ready).length;
    fewestReady = Math.min(fewestReady, ready);
    mostLive = Math.max(mostLive, world.live(id).length);
    const state = world.tables.rollouts.get(id)?.value.state;
    if (state !== undefined && !['updating', 'rollback_started'].includes(state)) break;
    world.pass(1_000);
  }
  world.converge();
  return { fewestReady, mostLive };
}

const images = (world: PlanWorld, id: string) => world.live(id).map((task) => task.template.ContainerSpec.Image);
const rollout = (world: PlanWorld, id: string) => world.tables.rollouts.get(id)?.value;

test('a created service has no roll-out', () => {
  const { world, id } = running(3);

  expect(rollout(world, id)).toBeUndefined();
});

test('stop-first replaces one slot after the other, never two at once', () => {
  const { world, id } = running(4);
  world.update(id, 'v2');

  const seen = rollOut(world, id);

  expect(seen.fewestReady).toBe(3);
  expect(images(world, id)).toEqual(['v2', 'v2', 'v2', 'v2']);
  expect(rollout(world, id)).toMatchObject({ state: 'completed', message: 'update completed', revision: 2 });
});

test('start-first leaves the tasks spread as they were', () => {
  const { world, id } = running(3, { Order: 'start-first' });
  world.update(id, 'v2');

  rollOut(world, id);

  expect(new Set(world.live(id).map((task) => task.nodeId)).size).toBe(3);
});

test('start-first never has fewer ready tasks than replicas', () => {
  const { world, id } = running(4, { Order: 'start-first', Parallelism: 2 });
  world.update(id, 'v2');

  const seen = rollOut(world, id);

  expect(seen.fewestReady).toBe(4);
  expect(seen.mostLive).toBe(6);
});

describe('old tasks that take long to stop', () => {
  const turns = (world: PlanWorld) => {
    for (let round = 0; round < 40; round += 1) {
      world.lead();
      world.runAgents();
      world.pass(1_000);
    }
  };
  const slowly = (EndpointSpec: ServiceSpec['EndpointSpec'], order: 'start-first' | 'stop-first') => {
    const world = new PlanWorld();
    for (const name of ['h1', 'h2', 'h3']) world.addNode(name);
    world.behaviours.set('v1', 'takes-long-to-stop');
    const id = world.addService('web', 2, { image: 'v1', EndpointSpec, UpdateConfig: { Order: order } });
    world.converge();
    world.update(id, 'v2');
    turns(world);
    const updated = images(world, id).filter((image) => image === 'v2').length;
    return { world, id, updated };
  };

  test('are not waited for by the next slot, but by the end of the update', () => {
    const { world, id, updated } = slowly(undefined, 'start-first');
    expect(updated).toBe(2);
    expect(rollout(world, id)?.state).toBe('updating');

    world.behaviours.delete('v1');
    turns(world);

    expect(rollout(world, id)?.state).toBe('completed');
  });

  test('are waited for where they hold a port of their node: without it the next slot would stop first', () => {
    const port = { Protocol: 'tcp', TargetPort: 80, PublishedPort: 80, PublishMode: 'host' } as const;
    const { world, id, updated } = slowly({ Ports: [port] }, 'start-first');
    expect(updated).toBe(1);

    world.behaviours.delete('v1');
    turns(world);

    expect(images(world, id)).toEqual(['v2', 'v2']);
    expect(rollout(world, id)?.state).toBe('completed');
  });

  test('are not waited for where the port of the node is of Docker’s choice: the new task gets another', () => {
    const port = { Protocol: 'tcp', TargetPort: 80, PublishMode: 'host' } as const;

    expect(slowly({ Ports: [port] }, 'start-first').updated).toBe(2);
  });

  test('hold up a slot that stops them first', () => {
    const { world, id } = slowly(undefined, 'stop-first');

    expect(world.live(id).filter(({ desired }) => desired === 'ready')).toHaveLength(1);
    expect(images(world, id)).toEqual(expect.arrayContaining(['v1', 'v2']));
  });
});

test('the image is there before the old task stops', () => {
  const { world, id } = running(1);
  world.update(id, 'v2');

  world.lead();
  expect(
    world
      .live(id)
      .map((task) => task.desired)
      .sort(),
  ).toEqual(['ready', 'running']);
  world.lead();
  expect(world.live(id)).toHaveLength(2);
  world.runAgents();
  world.lead();
  expect(world.live(id).map((task) => task.desired)).toEqual(['ready']);
});

test('an image that cannot be pulled leaves the old task alone and pauses the update', () => {
  const { world, id } = running(3);
  world.behaviours.set('missing', 'no-image');
  world.update(id, 'missing');

  rollOut(world, id);

  expect(rollout(world, id)?.state).toBe('paused');
  expect(rollout(world, id)?.message).toMatch(
    /^update paused due to failure or early termination of task [a-z0-9]{25}$/,
  );
  const served = world.live(id).filter((task) => world.tables.statuses.get(task.id)?.value.ready);
  expect(served).toHaveLength(3);
});

test('a paused update starts over when the service is updated', () => {
  const { world, id } = running(3);
  world.behaviours.set('bad', 'crashes');
  world.update(id, 'bad');
  for (let round = 0; round < 20; round += 1) {
    world.lead();
    world.runAgents();
  }
  expect(rollout(world, id)?.state).toBe('paused');

  world.update(id, 'v3');
  rollOut(world, id);

  expect(rollout(world, id)?.state).toBe('completed');
  expect(images(world, id)).toEqual(['v3', 'v3', 'v3']);
});

test('failure action rollback goes back to the previous specification', () => {
  const { world, id } = running(3, { FailureAction: 'rollback', Order: 'start-first' });
  world.behaviours.set('bad', 'crashes');
  world.update(id, 'bad');

  for (let round = 0; round < 30; round += 1) {
    world.lead();
    world.runAgents();
    world.pass(1_000);
  }
  world.converge();

  expect(rollout(world, id)).toMatchObject({ state: 'rollback_completed', revision: 1 });
  expect(rollout(world, id)?.cause).toMatch(/^update rolled back due to failure or early termination of task /);
  expect(images(world, id)).toEqual(['good', 'good', 'good']);
});

test.each([
  ['secret db_password', { Secrets: [{ SecretID: 'gone', SecretName: 'db_password' }] }, []],
  ['config app.conf and the network backend', { Configs: [{ ConfigID: 'gone', ConfigName: 'app.conf' }] }, ['backend']],
])('an update that fails is paused where the %s it would go back to is gone', (missing, uses, targets) => {
  const world = new PlanWorld();
  for (const name of ['h1', 'h2', 'h3']) world.addNode(name);
  const TaskTemplate = {
    ContainerSpec: { Image: 'good', ...uses },
    Networks: targets.map((Target) => ({ Target })),
  };
  const id = world.addService('web', 3, { TaskTemplate, UpdateConfig: { FailureAction: 'rollback' } });
  world.converge();
  world.behaviours.set('missing', 'no-image');
  world.update(id, 'missing');

  rollOut(world, id);

  expect(rollout(world, id)).toMatchObject({ state: 'paused', revision: 2 });
  expect(rollout(world, id)?.message).toMatch(/^update paused due to failure or early termination of task \w+; not /);
  expect(rollout(world, id)?.message).toContain(`; not rolled back: what was before needs the ${missing}, which `);
  expect(world.done.some(({ kind }) => kind === 'roll-back-service')).toBe(false);
});

test('failure action continue replaces every slot all the same', () => {
  const { world, id } = running(3, { FailureAction: 'continue', Parallelism: 0 });
  world.behaviours.set('quits', 'exits');
  world.update(id, 'quits');

  rollOut(world, id);

  expect(rollout(world, id)?.state).toBe('completed');
  expect(images(world, id)).toEqual(['quits', 'quits', 'quits']);
});

test('each worker waits the delay after its slot', () => {
  const { world, id } = running(2, { Delay: 30e9 });
  world.update(id, 'v2');
  world.converge();
  expect(images(world, id).sort()).toEqual(['good', 'v2']);

  world.pass(29_000);
  world.converge();
  expect(images(world, id).sort()).toEqual(['good', 'v2']);

  world.pass(1_000);
  world.converge();
  expect(images(world, id)).toEqual(['v2', 'v2']);
});

test('an update of no replicas completes at once; scaling makes no roll-out', () => {
  const { world, id } = running(0);
  world.update(id, 'v2');
  world.converge();
  expect(rollout(world, id)?.state).toBe('completed');

  world.scale(id, 3);
  world.converge();
  expect(rollout(world, id)?.revision).toBe(2);
  expect(images(world, id)).toEqual(['v2', 'v2', 'v2']);
});

test('a rollback does not fail for what a task of the old revision went through before it', () => {
  const { world, id } = running(3, { FailureAction: 'rollback', Order: 'start-first', Parallelism: 0 });
  for (const task of world.live(id)) world.report(task, { restarts: 2, attempt: 3 });
  world.behaviours.set('bad', 'crashes');
  world.update(id, 'bad');

  rollOut(world, id);

  expect(rollout(world, id)).toMatchObject({ state: 'rollback_completed', revision: 1 });
  expect(images(world, id)).toEqual(['good', 'good', 'good']);
});

test('an update goes on though the clock was set back by a day', () => {
  const { world, id } = running(3, { Delay: 10e9 });
  world.update(id, 'v2');
  for (let round = 0; round < 6; round += 1) {
    world.lead();
    world.runAgents();
    world.pass(1_000);
  }
  expect(images(world, id)).toContain('v2');

  world.pass(-24 * 3_600_000);
  rollOut(world, id);

  expect(rollout(world, id)?.state).toBe('completed');
  expect(images(world, id)).toEqual(['v2', 'v2', 'v2']);
});

test('a roll-out ends of a service that came back as it was created while it was under way (simulation, seed 707)', () => {
  const { world, id } = running(3, { Parallelism: 0 });
  const created = world.tables.services.get(id);
  if (!created) throw new Error('no service');
  world.update(id, 'v2');
  rollOut(world, id);

  world.tables.services.set(id, created);
  rollOut(world, id);

  expect(images(world, id)).toEqual(['good', 'good', 'good']);
  expect(rollout(world, id)).toMatchObject({ state: 'completed', revision: 1 });
});
