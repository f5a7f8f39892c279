import { describe, expect, it } from 'vitest';
import { assignmentTasks, taskViews } from '../../../../../coordinator/api/docker/task-view.ts';
import type { HistoryEntry } from '../../../../../model/slot-record.ts';
import type { ExitRecord, StatusRecord } from '../../../../../model/status-record.ts';
import type { TaskRecord } from '../../../../../model/task-record.ts';
import { attemptId, derivedId } from '../../../../../runtime/identifiers.ts';
import { aStatusRecord, aTaskRecord, nodeIdOf } from '../../../../support/docker-api-server.ts';
import { aRollout, aService, aSlot, aSnapshot, aSpec, type SnapshotParts } from '../../../../support/snapshots.ts';

const service = aService();
const task = aTaskRecord(service, 1, nodeIdOf('h1'));

const exit = (attempt: number, changes: Partial<ExitRecord> = {}): ExitRecord => ({
  attempt,
  containerId: `c${attempt}`,
  exitCode: 1,
  oomKilled: false,
  error: 'task: non-zero exit (1)',
  startedAtMs: attempt * 1_000,
  finishedAtMs: attempt * 1_000 + 500,
  state: 'failed',
  ...changes,
});

const past = (changes: Partial<HistoryEntry> = {}): HistoryEntry => ({
  taskId: derivedId('old'),
  attempt: 1,
  nodeId: nodeIdOf('h2'),
  revision: 1,
  image: 'a:0',
  state: 'shutdown',
  error: '',
  containerId: 'c0',
  createdAtMs: 100,
  finishedAtMs: 200,
  ...changes,
});

function views(parts: SnapshotParts, changes: { task?: Partial<TaskRecord>; status?: Partial<StatusRecord> } = {}) {
  const seen = { ...task, ...changes.task };
  const statuses = changes.status === undefined ? [] : [aStatusRecord(seen, changes.status)];
  return taskViews(aSnapshot({ services: [service], tasks: [seen], statuses, ...parts }));
}

const short = (view: ReturnType<typeof taskViews>[number]) =>
  `${view.DesiredState} ${view.Status.State} ${view.Status.Err ?? '-'}`;

describe('taskViews()', () => {
  it('builds the tasks of the services asked for only', () => {
    const other = aService({ id: derivedId('other') });
    const tasks = [task, aTaskRecord(other, 1, nodeIdOf('h2'))];
    const snapshot = aSnapshot({ services: [service, other], tasks });

    expect(taskViews(snapshot).map((view) => view.ServiceID)).toEqual([service.id, other.id]);
    expect(taskViews(snapshot, ({ id }) => id === other.id).map((view) => view.ServiceID)).toEqual([other.id]);
  });

  it('shows an assignment nobody has reported on as assigned', () => {
    expect(views({})).toMatchObject([
      { ID: task.id, Slot: 1, NodeID: nodeIdOf('h1'), DesiredState: 'running', Status: { State: 'assigned' } },
    ]);
  });

  it('shows a running attempt with its container and its host ports', () => {
    const ports = [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' }] as const;
    const [view] = views({}, { task: { ports: [...ports] }, status: {} });
    expect(view?.Status).toMatchObject({
      State: 'running',
      Message: 'started',
      ContainerStatus: { ContainerID: 'ab'.repeat(32), PID: 4242, ExitCode: 0 },
      PortStatus: { Ports: ports },
    });
  });

  it('shows the host port the engine chose where the user chose none', () => {
    const ports = [{ Protocol: 'udp', TargetPort: 53, PublishedPort: 0, PublishMode: 'host' }] as const;
    const hostPorts = [
      { protocol: 'tcp', targetPort: 53, publishedPort: 32768 },
      { protocol: 'udp', targetPort: 53, publishedPort: 32769 },
    ] as const;

    const [view] = views({}, { task: { ports: [...ports] }, status: { state: 'running', hostPorts: [...hostPorts] } });

    expect(view?.Status?.PortStatus).toEqual({ Ports: [{ ...ports[0], PublishedPort: 32769 }] });
  });

  it('shows a container as starting until its health check passes', () => {
    expect(views({}, { status: { health: 'starting', ready: false } }).map(short)).toEqual(['running starting -']);
  });

  it('shows each attempt as a task of its own, and the next one while its restart is waited for', () => {
    const status = {
      attempt: 2,
      state: 'failed',
      error: 'task: non-zero exit (1)',
      exits: [exit(1), exit(2)],
    } as const;
    const found = views({}, { status: { ...status, exits: [...status.exits] } });
    expect(found.map(short)).toEqual([
      'ready ready -',
      'shutdown failed task: non-zero exit (1)',
      'shutdown failed task: non-zero exit (1)',
    ]);
    expect(found.map((view) => view.ID).sort()).toEqual([1, 2, 3].map((attempt) => attemptId(task.id, attempt)).sort());
    expect(new Set(found.map((view) => view.CreatedAt)).size).toBe(3);
  });

  it('shows no next attempt once the restart policy allows none', () => {
    expect(views({}, { status: { state: 'complete', final: true } }).map(short)).toEqual(['shutdown complete -']);
  });

  it('says why a slot has no place', () => {
    const pending = {
      taskId: derivedId('next'),
      revision: 1,
      sinceMs: 5,
      reason: 'no suitable node (1 node not available)',
    };
    const found = views({ tasks: [], slots: [aSlot(service, { pending })] });
    expect(found).toMatchObject([{ ID: pending.taskId, Status: { State: 'pending', Err: pending.reason } }]);
    expect(found[0]?.NodeID).toBeUndefined();
  });

  it('wants a task on a lost node no more once it has a stand-in', () => {
    const surge = { lostTaskId: task.id, lostNodeId: task.nodeId, madeAtMs: 1 };
    expect(views({ slots: [aSlot(service, { surge })] }, { status: {} }).map(short)).toEqual(['shutdown running -']);
  });

  it('shows what ran on a lost node as unknown, and what had ended there as it ended', () => {
    const nodes = { [task.nodeId]: 'lost' } as const;
    expect(views({ nodes }, { status: {} }).map(short)).toEqual([`running unknown its node ${task.nodeId} is lost`]);
    const ended = { state: 'complete', final: true, exitCode: 0 } as const;
    expect(views({ nodes }, { status: ended }).map(short)).toEqual(['shutdown complete -']);
  });

  it('says what is wrong with a task that has not failed', () => {
    const nodes = { [task.nodeId]: 'engine-unresponsive' } as const;
    expect(views({ nodes }, { status: {} }).map(short)).toEqual([
      `running running the Docker Engine of its node ${task.nodeId} does not answer`,
    ]);
    const unreadyBecause = 'TCP port 80: connect ECONNREFUSED';
    expect(views({}, { status: { state: 'starting', unreadyBecause } }).map(short)).toEqual([
      `running starting not ready: ${unreadyBecause}`,
    ]);
    expect(views({ nodes }, { status: {}, task: { desired: 'stopped' } })[0]?.Status.Err).toBeUndefined();
  });

  it('names the task an update waited for in vain', () => {
    const overdue = { taskId: task.id, startedAtMs: 1, doneAtMs: 2, failed: true, overdue: true };
    const rollouts = [aRollout(service, { state: 'paused', slots: { 1: overdue } })];
    const labelled = (deadline: string) =>
      aService({ spec: aSpec({ Labels: { 'plimsoll.update.progress-deadline': deadline } }) });
    // As the service says it now, whatever it said when the task was made.
    const services = [labelled('30s')];
    const { Labels: serviceLabels = {} } = labelled('20s').spec;
    const words = { task: { serviceLabels }, status: { state: 'starting' } } as const;
    expect(views({ services, rollouts }, words).map(short)).toEqual([
      'running starting not ready after 30s (plimsoll.update.progress-deadline)',
    ]);
    const ready = [aRollout(service, { state: 'paused', slots: { 1: { ...overdue, readyAtMs: 3 } } })];
    expect(views({ services, rollouts: ready }, { task: { serviceLabels }, status: {} }).map(short)).toEqual([
      'running running -',
    ]);
  });

  it('keeps at most as many tasks of a slot as the history limit says, the newest', () => {
    const history = [1, 2, 3].map((attempt) => past({ attempt, finishedAtMs: attempt * 100 }));
    const found = views({ taskHistoryLimit: 3, slots: [aSlot(service, { history })] }, { status: {} });
    expect(found.map((view) => view.ID)).toEqual([
      task.id,
      ...[3, 2].map((attempt) => attemptId(derivedId('old'), attempt)),
    ]);
    expect(found[1]).toMatchObject({ Spec: { ContainerSpec: { Image: 'a:0' } }, NodeID: nodeIdOf('h2') });
  });

  it('forgets the past of a slot that was scaled away', () => {
    expect(views({ tasks: [], slots: [aSlot(service, { slot: 2, history: [past()] })] })).toEqual([]);
  });

  it('shows an attempt once, though agent and leader both remember it', () => {
    const history = [past({ taskId: task.id, attempt: 1, state: 'failed' })];
    const found = views({ slots: [aSlot(service, { history })] }, { status: { attempt: 2, exits: [exit(1)] } });
    expect(found).toHaveLength(2);
  });

  it('wants a task beyond the number of replicas removed, and forgets it when it has stopped', () => {
    const beyond = { slot: 2, desired: 'stopped' } as const;
    expect(views({}, { task: beyond, status: {} }).map(short)).toEqual(['remove running -']);
    expect(views({}, { task: beyond, status: { state: 'shutdown' } })).toEqual([]);
    expect(views({}, { task: { desired: 'stopped' }, status: {} }).map(short)).toEqual(['shutdown running -']);
  });

  it("names a global service's tasks by node, without a slot", () => {
    const global = aService({ spec: aSpec({ Mode: { Global: {} } }) });
    const found = views({ services: [global] }, { task: { slot: 0 }, status: {} });
    expect(found[0]).toMatchObject({ Slot: undefined, NodeID: nodeIdOf('h1') });
  });

  it('shows nothing of a removed service', () => {
    expect(views({ services: [{ ...service, removedAtMs: 9 }] }, { status: {} })).toEqual([]);
  });
});

describe('assignmentTasks()', () => {
  it('shows what is shown of one assignment among those of its service, whether it is there or over', () => {
    const other = aTaskRecord(service, 2, nodeIdOf('h2'));
    const gone = derivedId('task', 'gone');
    const slot = aSlot(service, { history: [past({ taskId: gone }), past({ taskId: task.id })] });
    const parts = { services: [service], tasks: [task, other], slots: [slot] };
    const snapshot = aSnapshot({ ...parts, statuses: [aStatusRecord(task, { exits: [exit(1)], attempt: 2 })] });

    for (const taskId of [task.id, other.id, gone]) {
      const shown = assignmentTasks(snapshot, service, taskId);
      expect(shown.length).toBeGreaterThan(0);
      expect(shown).toEqual(taskViews(snapshot).filter(({ plimsoll }) => plimsoll.taskId === taskId));
    }
  });
});
