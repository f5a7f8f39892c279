import { describe, expect, it } from 'vitest';
import { clusterStatus } from '../../../../../coordinator/api/native/status-view.ts';
import { explain } from '../../../../../coordinator/api/native/why-view.ts';
import { ClusterStatus, WhyAnswer } from '../../../../../model/native-api.ts';
import type { ScaleRecord } from '../../../../../model/scale-record.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';
import { entryOf } from '../../../../support/snapshots.ts';

const context = {
  clusterId: 'c1',
  version: '1',
  busConnected: true,
  stateCurrent: true,
  damagedRecords: [],
  usage: new Map(),
};

function whyOf(world: PlanWorld, term: string): WhyAnswer {
  return WhyAnswer.parse(explain(world.snapshot(), term, world.now));
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

  it('says where autoscaling is blind', () => {
    const world = new PlanWorld();
    world.addNode('h1');
    const serviceId = world.addService('web', 1);
    world.converge();
    const reason = 'no Prometheus is named: nothing is changed';
    const blind: ScaleRecord = { v: 1, epoch: 1, serviceId, replicas: 1, reason, decidedAtMs: 0, condition: 'blind' };
    const scales = new Map([[serviceId, entryOf(serviceId, blind)]]);

    const { services } = ClusterStatus.parse(clusterStatus({ ...world.snapshot(), scales }, context));

    expect(services[0]?.problem).toBe(`autoscaling is blind: ${reason}`);
  });

  it('shows what a drain waits for, until the node is empty', () => {
    const world = new PlanWorld();
    const id = world.addNode('h1');
    world.addService('web', 1);
    world.converge();
    world.addNode('h2');
    world.setAvailability(id, 'drain');
    const drains = () => ClusterStatus.parse(clusterStatus(world.snapshot(), context)).drains;

    expect(drains()).toMatchObject([{ node: 'h1', left: [{ task: 'web.1' }] }]);
    world.converge();
    expect(drains()).toEqual([]);
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

describe('clusterStatus() of networks', () => {
  it('shows what agents say is wrong, but not that nothing comes through to a node that is away', () => {
    const world = new PlanWorld();
    const [h1, h2, h3] = ['h1', 'h2', 'h3'].map((name) => world.addNode(name));
    if (!h1 || !h2 || !h3) throw new Error('there are three nodes');
    world.setState(h3, 'lost');
    const warning = { kind: 'blocked' as const, says: 'nothing comes through', advice: 'let UDP 4789 pass' };
    const said = [
      { ...warning, peerId: h2 },
      { ...warning, peerId: h3 },
      { ...warning, kind: 'overlap' as const, says: '10.200.0.0/24 on eth1 overlaps' },
    ];
    const numbers = { cpuTotalCores: 1, memoryBytes: 1, memoryTotalBytes: 1, load1: 0, tasks: [] };
    const usage = new Map([[h1, { usage: { nodeId: h1, ...numbers, networkWarnings: said } }]]);

    const { networkWarnings } = ClusterStatus.parse(clusterStatus(world.snapshot(), { ...context, usage }));

    expect(networkWarnings.map(({ node, says }) => [node, says])).toEqual([
      ['h1', '10.200.0.0/24 on eth1 overlaps'],
      ['h1', 'h2: nothing comes through'],
    ]);
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

  it('shows what each node says to a task that waits, and to one more task of a service', () => {
    const world = new PlanWorld();
    const id = world.addNode('h1');
    const Resources = { Reservations: { MemoryBytes: 6 * 2 ** 30 } };
    world.addService('big', 2, { TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources } });
    world.converge();
    const objection = 'wants 6 GiB of memory, 2 GiB of 8 GiB are free';

    expect(whyOf(world, 'big.2').placement?.nodes).toEqual([{ nodeId: id, node: 'h1', objection }]);
    expect(whyOf(world, 'big.1').placement).toBeUndefined();
    world.addNode('h2');
    expect(whyOf(world, 'big').placement).toMatchObject({
      question: 'where one more task of big would go now',
      nodes: [{ node: 'h2', score: { failing: 0, copies: 0, lacksImage: 1 } }, { node: 'h1' }],
    });
  });

  it('says that the spread preferences of a service come before the number of copies', () => {
    const world = new PlanWorld();
    const Preferences = [{ Spread: { SpreadDescriptor: 'node.labels.rack' } }];
    world.addService('web', 1, { TaskTemplate: { ContainerSpec: { Image: 'good' }, Placement: { Preferences } } });

    expect(whyOf(world, 'web').placement?.order).toMatch(/; the spread over node\.labels\.rack comes before COPIES$/);
  });

  it('shows a slot that is bound to one node only what that node says', () => {
    const world = new PlanWorld();
    const Resources = { Reservations: { MemoryBytes: 6 * 2 ** 30 } };
    const full = world.addNode('h1');
    world.addService('big', 1, { TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources } });
    world.converge();
    world.addNode('h2');
    world.addService('everywhere', 0, {
      TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources },
      Mode: { Global: {} },
    });
    world.converge();

    expect(whyOf(world, 'everywhere').placement).toBeUndefined();
    expect(whyOf(world, `everywhere.${full}`).placement?.nodes).toMatchObject([
      { node: 'h1', objection: expect.stringContaining('wants 6 GiB of memory') },
    ]);
  });

  it('shows how often and after which exits a task was restarted', () => {
    const world = new PlanWorld();
    world.addNode('h1');
    const id = world.addService('web', 1);
    world.converge();
    const [task] = world.live(id);
    if (!task) throw new Error('web has no task');
    const exit = { containerId: 'c', oomKilled: false, finishedAtMs: world.now.wallMs };
    world.report(task, {
      restarts: 2,
      exits: [
        { ...exit, attempt: 1, exitCode: 1, error: 'task: non-zero exit (1)', state: 'failed' },
        { ...exit, attempt: 2, exitCode: 0, error: '', state: 'complete' },
      ],
    });

    expect(whyOf(world, 'web').parts[0]?.reason).toMatch(/^restarted 2 times, last after: exit code 0; /);
    expect(whyOf(world, 'web.1').parts.slice(1)).toMatchObject([
      { name: 'attempt 2', reason: 'exit code 0' },
      { name: 'attempt 1', reason: 'task: non-zero exit (1)' },
    ]);
  });

  it('says of a task that its node is lost, and counts it no more', () => {
    const world = new PlanWorld();
    const node = world.addNode('h1');
    world.addService('web', 1);
    world.converge();
    world.setState(node, 'lost');

    expect(whyOf(world, 'web')).toMatchObject({
      facts: ['0 of 1 tasks run, 0 of them ready'],
      parts: [
        {
          state: expect.stringMatching(/^unknown, was running for /),
          reason: expect.stringMatching(/^its node h1 is lost; /),
        },
      ],
    });
  });

  it('says why no other attempt follows', () => {
    const world = new PlanWorld();
    world.addNode('h1');
    const RestartPolicy = { Condition: 'on-failure', MaxAttempts: 2 } as const;
    const id = world.addService('web', 1, { TaskTemplate: { ContainerSpec: { Image: 'good' }, RestartPolicy } });
    world.converge();
    const [task] = world.live(id);
    if (!task) throw new Error('web has no task');

    world.report(task, { state: 'failed', error: 'task: non-zero exit (1)', final: true });
    expect(whyOf(world, 'web').parts[0]?.reason).toMatch(
      /^task: non-zero exit \(1\); not started again: max attempts 2 reached; /,
    );
    world.report(task, { state: 'complete', error: undefined, final: true });
    expect(whyOf(world, 'web').parts[0]?.reason).toMatch(/^not started again: its restart condition is on-failure; /);
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
    expect(() => explain(world.snapshot(), '', world.now)).toThrow(/fits several things: h1 .*, h2 /);
  });
});
