import { describe, expect, it } from 'vitest';
import { clusterStatus } from '../../../../../coordinator/api/native/status-view.ts';
import { explain } from '../../../../../coordinator/api/native/why-view.ts';
import { ClusterStatus, WhyAnswer } from '../../../../../model/native-api.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

const context = { clusterId: 'c1', version: '1', busConnected: true, stateCurrent: true, damagedRecords: [] };

function whyOf(world: PlanWorld, term: string): WhyAnswer {
  return WhyAnswer.parse(explain(world.snapshot(), term, world.now.wallMs));
}

describe('clusterStatus()', () => {
  it('counts wanted, running and ready tasks and says why not all run', () => {
    const world = new PlanWorld();
    world.addNode('h1', { memoryBytes: 1 });
    const Resources = { Reservations: { MemoryBytes: 1024 } };
    const TaskTemplate = { ContainerSpec: { Image: 'good' }, Resources };
    world.addService('big', 2, { TaskTemplate });
    world.addService('web', 2);
    world.converge();

    const { services } = ClusterStatus.parse(clusterStatus(world.snapshot(), context));

    expect(services.map(({ name, desired, running, ready }) => [name, desired, running, ready])).toEqual([
      ['big', 2, 0, 0],
      ['web', 2, 2, 2],
    ]);
    expect(services[0]?.problem).toMatch(/no suitable node/);
    expect(services[1]?.problem).toBe('');
  });

  it('leaves out services that are being removed', () => {
    const world = new PlanWorld();
    world.remove(world.addService('web', 1));

    expect(clusterStatus(world.snapshot(), context).services).toEqual([]);
  });

  it('shows a node that was let in and never came as down', () => {
    const world = new PlanWorld();
    const id = world.addNode('h1');
    world.tables.nodes.delete(id);

    const [node] = ClusterStatus.parse(clusterStatus(world.snapshot(), context)).nodes;

    expect(node).toMatchObject({ hostname: 'h1', state: 'down', message: 'let in, but its agent never registered' });
  });
});

describe('explain()', () => {
  it('gives the reason a task is pending, by service and by task name', () => {
    const world = new PlanWorld();
    world.addService('web', 1);
    world.converge();

    expect(whyOf(world, 'web').parts).toMatchObject([
      { name: 'web.1', reason: expect.stringMatching(/no suitable node/) },
    ]);
    expect(whyOf(world, 'web.1')).toMatchObject({ kind: 'task', facts: [expect.stringMatching(/waits for a node/)] });
  });

  it('gives the error of a task that does not start', () => {
    const world = new PlanWorld();
    world.addNode('h1');
    world.behaviours.set('broken', 'no-image');
    world.addService('web', 1, { image: 'broken' });
    world.lead();
    world.runAgents();

    expect(whyOf(world, 'web').parts[0]).toMatchObject({ state: 'rejected for 0 ms', node: 'h1' });
    expect(whyOf(world, 'web').parts[0]?.reason).toMatch(/^No such image/);
  });

  it('explains a node by what was seen of it', () => {
    const world = new PlanWorld();
    world.setState(world.addNode('h1'), 'suspect');

    expect(whyOf(world, 'h1')).toMatchObject({
      kind: 'node',
      facts: ['suspect: suspect', 'availability active, 0 tasks run'],
    });
  });

  it('finds things by a short id, and refuses one that fits several', () => {
    const world = new PlanWorld();
    const id = world.addNode('h1');

    expect(whyOf(world, id.slice(0, 8)).id).toBe(id);
    expect(() => whyOf(world, 'nobody')).toThrow('No service, task or node is called "nobody"');
    world.addNode('h2');
    expect(() => explain(world.snapshot(), '', world.now.wallMs)).toThrow(/fits several things: h1 .*, h2 /);
  });
});
