/** What the leader writes down: only of what it assigned, and never more at once than the bus bears. */
import { beforeEach, expect, it } from 'vitest';
import { subjects } from '../../../../bus/subjects.ts';
import { coordinatorMetrics } from '../../../../coordinator/loops/coordinator-metrics.ts';
import { PastRecorder } from '../../../../coordinator/past/recorder.ts';
import { openStore, type Store } from '../../../../coordinator/store/store.ts';
import { PastExit } from '../../../../model/past.ts';
import type { StatusRecord } from '../../../../model/status-record.ts';
import type { TaskRecord } from '../../../../model/task-record.ts';
import { createLog } from '../../../../runtime/log.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';
import { aTask } from '../../../support/tasks.ts';

let clock: FakeClock;
let connection: MemoryConnection;
let store: Store;

beforeEach(async () => {
  clock = new FakeClock();
  connection = new MemoryServer({ clock }).connect();
  store = await openStore({ buckets: connection.buckets, clock });
});

function recorder(bus: Pick<MemoryConnection['bus'], 'publishDurably'> = connection.bus) {
  const log = createLog('test', 'silent');
  const metrics = coordinatorMetrics(createMetrics('test', '0'));
  return { metrics, recorder: new PastRecorder({ bus, store, clock, log, metrics }) };
}

async function assign(task: TaskRecord): Promise<void> {
  await store.reached('tasks', await connection.buckets.tasks.create(`${task.nodeId}.${task.id}`, task));
}

/** What the node of `task` reports, with one end. */
async function report(task: TaskRecord, change: Partial<StatusRecord> = {}): Promise<void> {
  const { id: taskId, serviceId, slot, nodeId } = task;
  const status: StatusRecord = {
    v: 1,
    taskId,
    serviceId,
    slot,
    nodeId,
    revision: 1,
    incarnation: 1,
    attempt: 1,
    sequence: 0,
    state: 'failed',
    ready: false,
    health: 'none',
    removed: false,
    message: '',
    changedAtMs: 0,
    failures: 1,
    restarts: 0,
    oomKills: 0,
    final: false,
    exits: [
      {
        attempt: 1,
        containerId: 'c',
        exitCode: 3,
        oomKilled: false,
        error: 'task: non-zero exit (3)',
        finishedAtMs: clock.wallMs(),
        state: 'failed',
      },
    ],
    ...change,
  };
  await store.reached('statuses', await connection.buckets.statuses.create(`${nodeId}.${taskId}`, status));
}

const remembered = (serviceId: string) => connection.bus.stored(subjects.pastExits(serviceId, '*'), PastExit);

it('a node tells of what it was given to do, under the name the assignment has, and of nothing else', async () => {
  const [mine, others] = [aTask(), aTask({ name: 'db' })];
  recorder().recorder.followExits();
  await assign(mine);

  await report(mine, { serviceId: others.serviceId, slot: 9 });
  await report({ ...others, nodeId: mine.nodeId });

  expect(await remembered(others.serviceId)).toEqual([]);
  const kept = await connection.bus.stored(subjects.pastExits(mine.serviceId, '1'), PastExit);
  expect(kept).toMatchObject([{ taskId: mine.id, nodeId: mine.nodeId, exit: { attempt: 1, exitCode: 3 } }]);
});

it('a thousand ends at once are written a few at a time, all of them', async () => {
  const tasks = Array.from({ length: 1_000 }, (_, index) => aTask({ slot: index + 1 }));
  let [underWay, most, written] = [0, 0, 0];
  const publishDurably = async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await Promise.resolve();
    underWay -= 1;
    written += 1;
  };
  for (const task of tasks) {
    await assign(task);
    await report(task);
  }

  recorder({ publishDurably }).recorder.followExits();
  while (written < tasks.length) await Promise.resolve();

  expect(most).toBe(32);
});

it('a plan that cannot be written down is counted and fails nobody', () => {
  const broken = recorder();
  const odd = { kind: 'put-slot', key: 'k', reason: '', record: undefined };

  // @ts-expect-error No plan makes this.
  expect(() => broken.recorder.noteDone([odd], { tables: new Map() }, store.snapshot())).not.toThrow();

  return expect(broken.metrics.eventFailures.get()).resolves.toMatchObject({ values: [{ value: 1 }] });
});
