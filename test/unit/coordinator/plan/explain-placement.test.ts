import { expect, it } from 'vitest';
import { explainPlacement } from '../../../../coordinator/plan/explain-placement.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

it('explainPlacement() shows every node: the best first, those that say no with their numbers last', () => {
  const world = new PlanWorld();
  const [small] = ['small', 'used', 'free'].map((name) =>
    world.addNode(name, { memoryBytes: name === 'small' ? 2 ** 28 : 2 ** 30 }),
  );
  const Resources = { Reservations: { MemoryBytes: 2 ** 29 } };
  world.addService('other', 1, {
    TaskTemplate: { ContainerSpec: { Image: 'other' }, Placement: { Constraints: ['node.hostname==used'] } },
  });
  world.converge();
  const id = world.addService('web', 1, { TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources } });

  const table = explainPlacement(world.snapshot(), world.service(id), world.now);

  expect(table.map(({ node }) => node)).toEqual(['free', 'used', 'small']);
  expect(table[1]?.score).toMatchObject({ copies: 0, tasks: 1 });
  expect(table[2]).toMatchObject({
    nodeId: small,
    objection: 'wants 512 MiB of memory, 256 MiB of 256 MiB are free',
  });
});

it('explainPlacement() marks nodes on which the service has failed often lately, and puts them after the others', () => {
  const world = new PlanWorld();
  world.behaviours.set('broken', 'never-ready');
  const [first] = ['h1', 'h2'].map((name) => world.addNode(name));
  const id = world.addService('web', 1, { image: 'broken' });
  world.lead();
  const [task] = world.live(id);
  if (!task) throw new Error('web has no task');
  const exit = { containerId: 'c', exitCode: 1, oomKilled: false, error: 'exit', state: 'failed' as const };
  const exits = [1, 2, 3, 4, 5].map((attempt) => ({ ...exit, attempt, finishedAtMs: world.now.wallMs }));
  world.report(task, { exits });

  const table = explainPlacement(world.snapshot(), world.service(id), world.now);

  expect(task.nodeId).toBe(first);
  expect(table.map(({ node, score }) => [node, score?.failing])).toEqual([
    ['h2', 0],
    ['h1', 1],
  ]);
});
