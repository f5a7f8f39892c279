import { expect, test } from 'vitest';
import { PlanWorld } from '../../../support/plan-world.ts';

function twoReplicas() {
  const world = new PlanWorld();
  for (const name of ['h1', 'h2']) world.addNode(name);
  const id = world.addService('web', 2);
  world.converge();
  return { world, id };
}

/** All that tells of tasks is gone at once. */
function forget(world: PlanWorld): void {
  for (const bucket of ['tasks', 'slots', 'statuses'] as const) world.tables[bucket].clear();
}

test('an empty slot is not filled while the nodes may still have its task', () => {
  const { world, id } = twoReplicas();
  forget(world);

  world.doubt = { sinceMs: 5, services: new Set([id]) };
  expect(world.plan().chains).toEqual([]);

  world.doubt = { sinceMs: 5, services: new Set() };
  expect(world.plan().chains.map(([first]) => first?.kind)).toEqual(['put-slot', 'put-slot']);
});

test('a service that came after the doubt began is not held up by it, nor are slots that are known', () => {
  const { world, id } = twoReplicas();
  world.doubt = { sinceMs: 5, services: new Set([id]) };
  const other = world.addService('api', 1);
  const [task] = world.live(id);
  if (!task) throw new Error('no task');
  world.tables.tasks.delete(task.id);

  const written = world.plan().chains.flatMap((chain) => chain.map(({ kind, key }) => `${kind} ${key}`));

  expect(written.filter((action) => action.startsWith('create-task'))).toContain(
    `create-task ${task.nodeId}.${task.id}`,
  );
  expect(written).toContain(`put-slot ${other}.1`);
});

test('a slot whose record was lost never gives the id of an earlier task again', () => {
  const { world, id } = twoReplicas();
  const before = world.live(id).map((task) => task.id);
  forget(world);
  world.doubt = { sinceMs: 5, services: new Set() };
  world.converge();

  const after = world.live(id).map((task) => task.id);
  expect(after).toHaveLength(2);
  expect(after.filter((taskId) => before.includes(taskId))).toEqual([]);
});
