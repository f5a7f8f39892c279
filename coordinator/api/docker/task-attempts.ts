/** The attempts of one assignment as the Engine API shows them: each is a task of its own there. Pure. */

import type { PortConfig } from '../../../model/service-spec.ts';
import type { ExitRecord, HostPort, StatusRecord } from '../../../model/status-record.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { attemptId } from '../../../runtime/identifiers.ts';
import { isoTime } from './dates.ts';

export interface TaskStatusView {
  readonly Timestamp: string;
  readonly State: string;
  readonly Message: string;
  readonly Err?: string | undefined;
  readonly ContainerStatus?:
    | { readonly ContainerID: string; readonly PID: number; readonly ExitCode: number }
    | undefined;
  readonly PortStatus: { readonly Ports?: readonly PortConfig[] | undefined };
}

/** A task of which its node has not spoken yet. */
export function assignedOnly(task: TaskRecord) {
  const since = isoTime(task.createdAtMs);
  const Status = { Timestamp: since, State: 'assigned', Message: 'scheduler assigned task to node', PortStatus: {} };
  return { ID: task.id, CreatedAt: since, UpdatedAt: since, Status };
}

/** The newest attempt, as its node last said. */
export function currentAttempt(task: TaskRecord, seen: StatusRecord) {
  const changed = isoTime(seen.changedAtMs);
  const hostPorts = task.ports.filter((port) => port.PublishMode === 'host').map((port) => withChosenPort(port, seen));
  const isUp = seen.state === 'running';
  const ContainerStatus =
    seen.containerId === undefined && !isEnded(seen)
      ? undefined
      : { ContainerID: seen.containerId ?? '', PID: seen.pid ?? 0, ExitCode: seen.exitCode ?? 0 };
  return {
    ID: attemptId(task.id, seen.attempt),
    CreatedAt: isoTime(attemptCreatedMs(task, seen, seen.attempt)),
    UpdatedAt: changed,
    Status: {
      Timestamp: changed,
      State: isUp && seen.health === 'starting' ? 'starting' : seen.state,
      Message: seen.message,
      Err: seen.error,
      ContainerStatus,
      PortStatus: isUp && hostPorts.length > 0 ? { Ports: hostPorts } : {},
    },
  };
}

/** A port left to the engine to choose, as it chose. */
function withChosenPort(port: PortConfig, { hostPorts }: StatusRecord): PortConfig {
  if (port.PublishedPort) return port;
  const isIt = (chosen: HostPort) => chosen.targetPort === port.TargetPort && chosen.protocol === port.Protocol;
  return { ...port, PublishedPort: hostPorts?.find(isIt)?.publishedPort };
}

/** An earlier attempt. */
export function endedAttempt(task: TaskRecord, seen: StatusRecord, exit: ExitRecord) {
  const finished = isoTime(exit.finishedAtMs);
  return {
    ID: attemptId(task.id, exit.attempt),
    CreatedAt: isoTime(attemptCreatedMs(task, seen, exit.attempt)),
    UpdatedAt: finished,
    Status: endedStatus(finished, exit.state, exit.error, exit.containerId, exit.exitCode),
    DesiredState: 'shutdown' as const,
  };
}

/** Swarm makes a task's successor at once, desired `ready` until its delay is over; so do we show it. */
export function waitingAttempt(task: TaskRecord, seen: StatusRecord) {
  const since = isoTime(seen.changedAtMs);
  return {
    ID: attemptId(task.id, seen.attempt + 1),
    CreatedAt: isoTime(seen.changedAtMs + 1),
    UpdatedAt: since,
    Status: { Timestamp: since, State: 'ready', Message: 'waiting for its restart', PortStatus: {} },
    DesiredState: 'ready' as const,
  };
}

/** Of a node that is lost. */
export function ghost(task: TaskRecord, seen: StatusRecord) {
  const shown = currentAttempt(task, seen);
  if (isEnded(seen)) return shown;
  const Status = { ...shown.Status, State: 'unknown', Message: 'its node is lost', PortStatus: {} };
  return { ...shown, Status };
}

const endedMessages: Readonly<Record<string, string>> = {
  complete: 'finished',
  shutdown: 'shutdown',
  rejected: 'preparing',
};

/** `error` is empty where there was none. */
export function endedStatus(
  Timestamp: string,
  State: string,
  error: string,
  ContainerID: string,
  ExitCode: number,
): TaskStatusView {
  return {
    Timestamp,
    State,
    Message: endedMessages[State] ?? 'started',
    Err: error === '' ? undefined : error,
    ContainerStatus: { ContainerID, PID: 0, ExitCode },
    PortStatus: {},
  };
}

/** When an attempt was made: the first with the task, a later one when the one before it ended. */
function attemptCreatedMs(task: TaskRecord, seen: StatusRecord, attempt: number): number {
  if (attempt === 1) return task.createdAtMs;
  const before = seen.exits.find((exit) => exit.attempt === attempt - 1);
  if (before !== undefined) return before.finishedAtMs + 1;
  const own = seen.exits.find((exit) => exit.attempt === attempt);
  return own?.startedAtMs ?? own?.finishedAtMs ?? seen.startedAtMs ?? seen.changedAtMs;
}

const endedStates: readonly string[] = ['complete', 'shutdown', 'failed', 'rejected'];
export function isEndedState(state: string): boolean {
  return endedStates.includes(state);
}

export function isEnded(seen: StatusRecord): boolean {
  return isEndedState(seen.state);
}
