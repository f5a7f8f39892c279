import { expect, test } from 'vitest';
import type { StatusRecord } from '../../../../model/status-record.ts';
import { randomId } from '../../../../runtime/identifiers.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

function twoReplicas() {
  const world = new PlanWorld();
  for (const name of ['h1', 'h2']) world.addNode(name);
  const id = world.addService('web', 2);
  world.converge();
  return { world, id };
}

const anEntry = { revision: 1_000_000, writtenAtMs: 0 };

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

test('containers of a revision that a restored service does not know are adopted, and replaced by its roll-out', () => {
  const { world, id } = twoReplicas();
  const asCreated = world.service(id);
  world.update(id, 'newer');
  world.converge();
  for (const bucket of ['tasks', 'slots', 'rollouts'] as const) world.tables[bucket].clear();
  world.restoreService(asCreated);
  world.done.length = 0;

  world.converge();

  const adopted = world.done.flatMap((action) => (action.kind === 'create-task' ? [action.record] : []));
  expect(adopted.slice(0, 2).map(({ revision, desired }) => [revision, desired])).toEqual([
    [2, 'running'],
    [2, 'running'],
  ]);
  expect(world.live(id).map(({ revision, desired }) => [revision, desired])).toEqual([
    [1, 'running'],
    [1, 'running'],
  ]);
  expect([...world.tables.statuses.values()].map(({ value }) => value.revision)).toEqual([1, 1]);
});

/** As a node would say that has been taken over: that it runs a task of a service it has nothing to do with. */
function claim(world: PlanWorld, serviceId: string, change: Partial<StatusRecord>): StatusRecord {
  const [genuine] = [...world.tables.statuses.values()].map(({ value }) => value);
  if (!genuine) throw new Error('no status');
  const status = { ...genuine, serviceId, taskId: randomId(), containerId: 'c0ffee', ...change };
  world.tables.statuses.set(status.taskId, { ...anEntry, key: `${status.nodeId}.${status.taskId}`, value: status });
  return status;
}

test('a task that stands on the word of its node alone says so, and no number of a revision runs away', () => {
  const { world, id } = twoReplicas();
  const evil = claim(world, id, { revision: Number.MAX_SAFE_INTEGER });

  const written = world
    .plan()
    .chains.flatMap((chain) => chain.flatMap((each) => ('record' in each ? [each.record] : [])));

  const tasks = written.filter((record) => 'claimed' in record);
  expect(tasks).toMatchObject([{ id: evil.taskId, claimed: true, revision: 10_001 }]);
});

test('an assignment that the slot remembers is written again as it was, not as a claim', () => {
  const { world, id } = twoReplicas();
  world.tables.tasks.clear();
  world.done.length = 0;
  world.converge();

  const again = world.done.flatMap((action) => (action.kind === 'create-task' ? [action.record] : []));
  expect(again).toHaveLength(2);
  expect(again.some(({ claimed }) => claimed)).toBe(false);
  expect(world.live(id)).toHaveLength(2);
});

test('what another node says of a task is not believed', () => {
  const { world, id } = twoReplicas();
  const [task] = world.live(id);
  const entry = task && world.tables.statuses.get(task.id);
  const other = [...world.tables.nodes.keys()].find((nodeId) => nodeId !== task?.nodeId);
  if (!task || !entry || !other) throw new Error('no task');
  const forged = { ...entry.value, nodeId: other, removed: true, ready: false, final: true };
  world.tables.statuses.set(task.id, { ...entry, revision: entry.revision + 1_000, value: forged });

  expect(world.plan().chains).toEqual([]);
});
