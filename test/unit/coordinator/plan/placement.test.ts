import { expect, test } from 'vitest';
import type { Placement } from '../../../../model/service-spec.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

function place(
  world: PlanWorld,
  replicas: number,
  placement: Placement,
): { spread: Record<string, number>; pending: string[] } {
  const id = world.addService('web', replicas, {
    TaskTemplate: { ContainerSpec: { Image: 'good' }, Placement: placement },
  });
  world.converge();
  const byName: Record<string, number> = {};
  for (const [nodeId, count] of Object.entries(world.spread(id))) {
    byName[world.tables.nodes.get(nodeId)?.value.hostname ?? nodeId] = count;
  }
  const pending = [...world.tables.slots.values()].flatMap((slot) => slot.value.pending?.reason ?? []);
  return { spread: byName, pending };
}

test('spread preferences even out the branches before the nodes', () => {
  const world = new PlanWorld();
  world.addNode('a1', { labels: { zone: 'a' } });
  for (const name of ['b1', 'b2', 'b3']) world.addNode(name, { labels: { zone: 'b' } });

  const { spread } = place(world, 6, { Preferences: [{ Spread: { SpreadDescriptor: 'node.labels.zone' } }] });

  expect(spread).toEqual({ a1: 3, b1: 1, b2: 1, b3: 1 });
});

test('max replicas per node is a hard limit and says so', () => {
  const world = new PlanWorld();
  for (const name of ['h1', 'h2']) world.addNode(name);

  const { spread, pending } = place(world, 5, { MaxReplicas: 2 });

  expect(spread).toEqual({ h1: 2, h2: 2 });
  expect(pending).toEqual(['no suitable node (max replicas per node limit exceed on 2 nodes; at most 2 per node)']);
});

test('nodes that are away, paused or drained are told apart', () => {
  const world = new PlanWorld();
  world.setState(world.addNode('h1'), 'suspect');
  world.setAvailability(world.addNode('h2'), 'pause');
  world.setAvailability(world.addNode('h3'), 'drain');

  const { pending } = place(world, 1, {});

  expect(pending).toEqual(['no suitable node (3 nodes not available for new tasks: 1 drained, 1 paused, 1 suspect)']);
});

test('a platform no node has is named', () => {
  const world = new PlanWorld();
  world.addNode('h1');

  const { pending } = place(world, 1, { Platforms: [{ OS: 'linux', Architecture: 'arm64' }] });

  expect(pending).toEqual(['no suitable node (unsupported platform on 1 node)']);
});

test('without nodes the reason is the empty cluster', () => {
  expect(place(new PlanWorld(), 1, {}).pending).toEqual(['no suitable node (the cluster has no nodes)']);
});

test('of equal nodes the one with fewer tasks of all services is taken', () => {
  const world = new PlanWorld();
  for (const name of ['h1', 'h2', 'h3']) world.addNode(name);
  for (const name of ['s1', 's2', 's3']) world.addService(name, 1);
  world.converge();

  const tasks = [...world.tables.tasks.values()].map((task) => task.value.nodeId);

  expect(new Set(tasks).size).toBe(3);
});
