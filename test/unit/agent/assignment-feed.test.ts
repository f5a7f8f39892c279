import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentMetrics } from '../../../agent/agent-metrics.ts';
import { AssignmentFeed } from '../../../agent/assignment-feed.ts';
import type { UnnumberedStatus } from '../../../agent/plan/status.ts';
import type { TaskSupervisor } from '../../../agent/task-supervisor.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeEngine } from '../../support/fake-engine.ts';
import { loneHost, loneSupervisor } from '../../support/lone-host.ts';
import { type MemoryConnection, MemoryServer } from '../../support/memory-bus.ts';
import { aTask } from '../../support/tasks.ts';

describe('AssignmentFeed and TaskSupervisor', () => {
  const clock = new FakeClock();
  let engine: FakeEngine;
  let server: MemoryServer;
  let leader: MemoryConnection;
  let own: MemoryConnection;
  let supervisor: TaskSupervisor;
  let makeSupervisor: () => TaskSupervisor;
  let feed: AssignmentFeed;
  let statuses: Map<string, UnnumberedStatus>;
  /** Keys the feed read again from the bucket itself. */
  let readAgain: string[];
  let bucketSays: TaskRecord['desired'] | undefined;
  beforeEach(async () => {
    server = new MemoryServer({ clock });
    [leader, own] = [server.connect('leader'), server.connect('agent')];
    engine = new FakeEngine();
    statuses = new Map();
    makeSupervisor = () =>
      loneSupervisor(engine, clock, {
        onStatus: (status) => statuses.set(status.taskId, status),
        onForgotten: (taskId) => statuses.delete(taskId),
      });
    supervisor = makeSupervisor();
    supervisor.takeList([], new Map());
    const { tasks } = own.buckets;
    const view = await tasks.watch();
    readAgain = [];
    bucketSays = undefined;
    const get = async (key: string) => {
      readAgain.push(key);
      const entry = await tasks.get(key);
      return entry && { ...entry, value: { ...entry.value, desired: bucketSays ?? entry.value.desired } };
    };
    const log = createLog('test', 'silent');
    const metrics = agentMetrics(createMetrics('test', '0'));
    feed = new AssignmentFeed({
      log,
      metrics,
      nodeId: aTask().nodeId,
      tasks: { get },
      view,
      supervisor,
    });
  });
  afterEach(async () => {
    await feed.stop();
    await supervisor.stop();
  });

  async function assign(...tasks: readonly TaskRecord[]): Promise<void> {
    for (const task of tasks) {
      const key = `${task.nodeId}.${task.id}`;
      const stored = await leader.buckets.tasks.get(key);
      if (stored) await leader.buckets.tasks.update(key, task, stored.revision);
      else await leader.buckets.tasks.create(key, task);
    }
    await clock.advance(100);
  }

  const running = () => [...engine.containers.values()].filter(({ phase }) => phase === 'running').length;
  const six = Array.from({ length: 6 }, (_, index) => aTask({ slot: index + 1 }));
  const stopped = (task: TaskRecord): TaskRecord => ({ ...task, desired: 'stopped' });

  it('runs what is assigned and removes what is stopped', async () => {
    await assign(aTask());
    expect(running()).toBe(1);

    await assign(stopped(aTask()));

    expect(engine.containers.size).toBe(0);
    expect(statuses.get(aTask().id)).toMatchObject({ removed: true, state: 'shutdown' });
  });

  it('forgets a removed task when its record goes', async () => {
    await assign(aTask());
    await assign(stopped(aTask()));

    await leader.buckets.tasks.delete(`${aTask().nodeId}.${aTask().id}`);
    await clock.advance(100);

    expect([supervisor.here.tasks(), statuses.size]).toEqual([[], 0]);
  });

  it('says nothing of tasks it remembers before it has seen what the engine runs', async () => {
    await assign(aTask());
    const [before] = supervisor.here.tasks();
    statuses.clear();

    const next = makeSupervisor();
    next.assign(aTask(), before?.memory);
    next.reportAll();
    expect(statuses.size).toBe(0);

    next.takeList(await engine.listOwn(loneHost.clusterId), new Map());
    expect(statuses.get(aTask().id)).toMatchObject({ ready: true });
    await next.stop();
  });

  it('ignores assignments of other nodes', async () => {
    await assign(aTask({ nodeId: aTask().serviceId }));

    expect(supervisor.here.tasks()).toEqual([]);
  });

  it('obeys a leader whose epochs began anew together with the bucket', async () => {
    await assign(aTask({ epoch: 5 }));
    server.wipe('plim_task');
    await clock.advance(1_000);

    await assign(aTask({ slot: 2, epoch: 1 }), aTask({ slot: 3, epoch: 1 }));

    expect(running()).toBe(3);
  });

  it('obeys a record that has the number another one had before the bucket was restored', async () => {
    const [first, second] = [aTask(), aTask({ slot: 2 })];
    await assign(first);
    const older = server.backup('plim_task');
    await assign(second);
    server.recreate('plim_task', older);

    await assign(stopped(second));
    await clock.advance(10_000);

    expect(running()).toBe(1);
    expect(statuses.get(second.id)).toMatchObject({ removed: true });
  });

  it('obeys a leader whose epochs began anew with a bucket whose numbers have caught up', async () => {
    await assign(aTask({ epoch: 5 }));
    server.recreate('plim_task');

    await assign(aTask({ epoch: 1 }), aTask({ slot: 2, epoch: 1 }));
    await clock.advance(10_000);

    expect(running()).toBe(2);
  });

  it('asks again before it stops most tasks at once, and stops them when that is so', async () => {
    await assign(...six);
    own.hold();
    await assign(...six.slice(0, 4).map(stopped));

    own.resume();
    await clock.advance(100);

    expect([running(), readAgain.length]).toEqual([2, 4]);
  });

  it('does not stop most tasks when the bucket itself says otherwise', async () => {
    await assign(...six);
    own.hold();
    await assign(...six.slice(0, 4).map(stopped));
    bucketSays = 'running';

    own.resume();
    await clock.advance(100);

    expect(running()).toBe(6);
  });

  it('stops half of the tasks without asking', async () => {
    await assign(...six);
    own.hold();
    await assign(...six.slice(0, 3).map(stopped));

    own.resume();
    await clock.advance(100);

    expect([running(), readAgain]).toEqual([3, []]);
  });

  it('restarts at once after an exit, then waits ever longer', async () => {
    await assign(aTask());

    supervisor.takeList([...engine.containers.values()], supervisor.here.looksSoFar());
    engine.exit('container-1', 1);
    await supervisor.lookAt('container-1', aTask().id, 'die');
    await clock.advance(0);
    engine.exit('container-2', 1);
    await supervisor.lookAt('container-2', aTask().id, 'die');
    await clock.advance(99);
    expect(running()).toBe(0);
    await clock.advance(1);

    expect(running()).toBe(1);
    expect(statuses.get(aTask().id)).toMatchObject({ attempt: 3, restarts: 2, failures: 2 });
  });

  it('takes an engine that is away for no failure of the task', async () => {
    engine.failure = new PlimsollError('unavailable', 'Cannot reach the container engine');
    await assign(aTask());
    await clock.advance(5_000);
    engine.failure = undefined;

    await clock.advance(500);

    expect(statuses.get(aTask().id)).toMatchObject({ state: 'running', attempt: 1, failures: 0 });
  });

  it('starts a container that an answer got lost for only once', async () => {
    const start = engine.start.bind(engine);
    engine.start = async (id) => {
      await start(id);
      engine.start = start;
      throw new PlimsollError('timeout', 'The engine did not answer');
    };
    await assign(aTask());

    await clock.advance(1_000);

    expect(engine.calls.filter((call) => call.startsWith('create'))).toHaveLength(1);
    expect(statuses.get(aTask().id)).toMatchObject({ state: 'running', attempt: 1 });
  });
});
