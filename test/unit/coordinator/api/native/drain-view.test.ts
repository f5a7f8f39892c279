import { beforeEach, describe, expect, it } from 'vitest';
import { drainProgress } from '../../../../../coordinator/api/native/drain-view.ts';
import { explain } from '../../../../../coordinator/api/native/why-view.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

let world: PlanWorld;
let node: string;

beforeEach(() => {
  world = new PlanWorld();
  node = world.addNode('h1');
});

const progress = () => drainProgress(world.snapshot(), node);

describe('drainProgress()', () => {
  it('says of each task that is left what it waits for, until the node is empty', () => {
    world.addService('web', 1);
    world.converge();
    world.addNode('h2');
    world.setAvailability(node, 'drain');
    expect(progress().left).toEqual([{ task: 'web.1', waitsFor: expect.stringContaining('its turn') }]);

    world.lead();
    expect(progress()).toMatchObject({ draining: true, node: 'h1' });
    expect(progress().left[0]?.waitsFor).toBe('the task that follows it on h2 to be ready (assigned)');
    expect(explain(world.snapshot(), 'h1', world.now).facts).toContainEqual(
      'web.1 waits for the task that follows it on h2 to be ready (assigned)',
    );

    world.converge();
    expect(progress()).toMatchObject({ left: [], homeless: [] });
    expect(explain(world.snapshot(), 'h1', world.now).facts).toContain('it is empty');
  });

  it('names tasks that had to leave and have no other place', () => {
    world.addService('web', 1);
    world.converge();
    world.setAvailability(node, 'drain');
    world.converge();

    expect(progress()).toMatchObject({
      left: [],
      homeless: [{ task: 'web.1', reason: expect.stringContaining('1 drained') }],
    });
  });

  it('counts no task that is over, and waits for a node nobody hears', () => {
    world.behaviours.set('once', 'exits');
    const TaskTemplate = { ContainerSpec: { Image: 'once' }, RestartPolicy: { Condition: 'none' } as const };
    world.addService('done', 1, { TaskTemplate });
    world.addService('web', 1);
    world.converge();
    world.setState(node, 'suspect');
    world.setAvailability(node, 'drain');

    expect(progress().left).toEqual([{ task: 'web.1', waitsFor: 'its node to be heard of again (it is suspect)' }]);
  });
});
