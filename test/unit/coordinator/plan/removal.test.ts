import { expect, test } from 'vitest';
import { PlanWorld } from '../../../support/plan-world.ts';

test('plan() tells a lost node to stop the tasks of a removed service, so that they stop when it comes back', () => {
  const world = new PlanWorld();
  const node = world.addNode('h1');
  const id = world.addService('web', 2);
  world.converge();
  world.setState(node, 'lost');

  world.remove(id);
  world.converge();

  expect(world.tables.services.size).toBe(0);
  expect(world.live(id)).toEqual([]);

  world.setState(node, 'ready');
  world.converge();

  expect(world.tables.tasks.size).toBe(0);
  expect([...world.tables.statuses.values()].filter(({ value }) => !value.removed)).toEqual([]);
});
