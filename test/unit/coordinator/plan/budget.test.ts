import { describe, expect, test } from 'vitest';
import { MAX_UNAVAILABLE_LABEL } from '../../../../model/service-policy.ts';
import type { UpdateConfig } from '../../../../model/service-spec.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const h1 = derivedId('node', 'h1');

/** Six replicas, all on h1; h2 and h3 are empty. */
function onOneNode(UpdateConfig: UpdateConfig | undefined, labels: Record<string, string> = {}) {
  const world = new PlanWorld();
  world.addNode('h1');
  const id = world.addService('web', 6, { Labels: labels, ...(UpdateConfig ? { UpdateConfig } : {}) });
  world.converge();
  for (const name of ['h2', 'h3']) world.addNode(name);
  return { world, id };
}

function ready(world: PlanWorld, id: string): number {
  return world.live(id).filter((task) => world.tables.statuses.get(task.id)?.value.ready).length;
}

/** Leader and agents in turn until nothing is left on h1; answers the fewest ready replicas seen. */
function drain(world: PlanWorld, id: string): number {
  world.setAvailability(h1, 'drain');
  let fewest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 100; round += 1) {
    world.lead();
    fewest = Math.min(fewest, ready(world, id));
    world.runAgents();
  }
  expect(world.live(id).filter((task) => task.nodeId === h1)).toEqual([]);
  expect(ready(world, id)).toBe(6);
  return fewest;
}

describe('a drain', () => {
  test('starts tasks elsewhere first where nobody asked for another order', () => {
    const { world, id } = onOneNode(undefined);

    expect(drain(world, id)).toBe(6);
  });

  test('starts first where the service does so at updates', () => {
    const { world, id } = onOneNode({ Order: 'start-first' });

    expect(drain(world, id)).toBe(6);
  });

  test.each([
    ['one at a time', {}, 5],
    ['as many as the label says', { [MAX_UNAVAILABLE_LABEL]: '3' }, 3],
    ['the share the label says, rounded up', { [MAX_UNAVAILABLE_LABEL]: '20%' }, 4],
  ])('stops first where that was asked for: %s', (_, labels: Record<string, string>, expected) => {
    const { world, id } = onOneNode({ Order: 'stop-first' }, labels);

    expect(drain(world, id)).toBe(expected);
  });

  test('of what writes to a volume stops first whatever the order says', () => {
    const { world, id } = onOneNode({ Order: 'start-first' });
    const service = world.service(id);
    const Mounts = [{ Type: 'volume', Source: 'data', Target: '/data' } as const];
    const TaskTemplate = { ContainerSpec: { Image: 'good', Mounts } };
    world.write('services', id, { ...service, spec: { ...service.spec, TaskTemplate } });

    world.setAvailability(h1, 'drain');
    world.lead();

    expect(world.live(id).filter((task) => task.nodeId !== h1 && task.desired === 'running')).toEqual([]);
  });

  test('waits for a replica that is starting', () => {
    const { world, id } = onOneNode({ Order: 'stop-first' });
    const [first] = world.live(id);
    if (!first) throw new Error('no task');
    world.report(first, { state: 'starting', ready: false });
    world.setAvailability(h1, 'drain');

    world.lead();
    for (const task of world.live(id)) if (task.nodeId !== h1) world.report(task, { state: 'ready' });
    world.lead();

    expect(ready(world, id)).toBe(5);
  });

  test('does not wait for a replica that fails again and again, unless the budget was set', () => {
    for (const [labels, expected] of [
      [{}, 4],
      [{ [MAX_UNAVAILABLE_LABEL]: '1' }, 5],
    ] as const) {
      const { world, id } = onOneNode({ Order: 'stop-first' }, labels);
      const [first] = world.live(id);
      if (!first) throw new Error('no task');
      world.addNode('h4');
      world.report(first, { state: 'rejected', ready: false });
      world.setAvailability(h1, 'drain');
      world.lead();
      for (const task of world.live(id)) {
        if (task.nodeId === h1) continue;
        const isSame = task.slot === first.slot;
        world.report(task, isSame ? { state: 'rejected', ready: false } : { state: 'ready' });
      }
      world.lead();

      expect(ready(world, id)).toBe(expected);
    }
  });
});

describe('unhealthy replicas', () => {
  const told = (world: PlanWorld, id: string) => world.live(id).filter((task) => task.replaceAttempt > 0).length;

  test.each([
    [{}, 1],
    [{ [MAX_UNAVAILABLE_LABEL]: '50%' }, 3],
  ])('are replaced within the budget: %j', (labels: Record<string, string>, expected) => {
    const { world, id } = onOneNode(undefined, labels);
    for (const task of world.live(id)) world.report(task, { ready: false, health: 'unhealthy' });

    world.lead();
    world.lead();

    expect(told(world, id)).toBe(expected);
  });

  test('wait while another one is starting, whoever started it', () => {
    const { world, id } = onOneNode(undefined);
    const [first, second] = world.live(id);
    if (!first || !second) throw new Error('no tasks');
    world.report(first, { state: 'starting', ready: false, attempt: 2 });
    world.report(second, { ready: false, health: 'unhealthy' });

    world.lead();

    expect(told(world, id)).toBe(0);
  });
});
