import { expect, it } from 'vitest';
import { imagineLoss } from '../../../../coordinator/what-if/node-loss.ts';
import { NodeLoss } from '../../../../model/node-loss.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const Resources = { Reservations: { MemoryBytes: 6 * 2 ** 30 } };

/** Three nodes of 8 GiB, each with a task of `big`: none has room for another. */
function fullWorld() {
  const world = new PlanWorld();
  const nodes = ['h1', 'h2', 'h3'].map((name) => ({ id: world.addNode(name), name }));
  world.addService('everywhere', 0, { Mode: { Global: {} } });
  world.addService('big', 3, { TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources } });
  world.converge();
  return { world, nodes };
}

it('imagineLoss() counts what would have to move, and names what could not, by service and slot', () => {
  const { world, nodes } = fullWorld();
  const [lost = { id: '', name: '' }] = nodes;
  const [task] = [...world.tables.tasks.values()].filter(({ value }) => value.nodeId === lost.id && value.slot > 0);

  const loss = NodeLoss.parse(imagineLoss(world.snapshot(), lost, world.now));

  expect(loss).toEqual({
    node: lost,
    tasks: 1,
    homeless: [{ service: 'big', slot: task?.value.slot, reason: expect.stringContaining('wants 6 GiB of memory') }],
  });
});

it('imagineLoss() changes nothing, and says so of a node whose tasks fit elsewhere', () => {
  const { world, nodes } = fullWorld();
  const free = { id: world.addNode('h4'), name: 'h4' };
  const before = world.done.length;

  expect(imagineLoss(world.snapshot(), nodes[0] ?? free, world.now).homeless).toEqual([]);
  expect(imagineLoss(world.snapshot(), free, world.now)).toMatchObject({ homeless: [] });
  expect(world.done).toHaveLength(before);
});
