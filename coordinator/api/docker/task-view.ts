/**
 * Tasks as the Engine API shows them: every attempt of ours is one of Swarm's tasks. Built from the snapshot alone:
 * the attempt that runs, the one that waits for its restart, the ones that ended, and slots without a place. Pure.
 */
import type { Entry } from '../../../bus/bus.ts';
import { genericToList } from '../../../model/generic-resources.ts';
import { isJob, jobIteration } from '../../../model/jobs.ts';
import { effectiveReplicas } from '../../../model/scale-record.ts';
import { isGlobal } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { ListedGenericResource, TaskTemplate } from '../../../model/service-spec.ts';
import type { HistoryEntry, SlotRecord } from '../../../model/slot-record.ts';
import type { StatusRecord } from '../../../model/status-record.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { groupBy } from '../../../runtime/group-by.ts';
import { attemptId } from '../../../runtime/identifiers.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { taskTrouble } from '../task-trouble.ts';
import { isoTime } from './dates.ts';
import {
  assignedOnly,
  currentAttempt,
  endedAttempt,
  endedStatus,
  ghost,
  isEnded,
  isEndedState,
  type TaskStatusView,
  waitingAttempt,
} from './task-attempts.ts';
import { networkAttachments } from './task-networks.ts';

export interface TaskView {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly CreatedAt: string;
  readonly UpdatedAt: string;
  readonly Labels: object;
  readonly Spec: TaskTemplate;
  readonly ServiceID: string;
  /** Absent for tasks of global services. */
  readonly Slot?: number | undefined;
  readonly NodeID?: string | undefined;
  readonly Status: TaskStatusView;
  readonly NetworksAttachments?: readonly object[] | undefined;
  /** What of its node's generic resources is its own. */
  readonly GenericResources?: readonly ListedGenericResource[] | undefined;
  readonly DesiredState: 'ready' | 'running' | 'complete' | 'shutdown' | 'remove';
  /** Of a job's task: the run it belongs to. */
  readonly JobIteration?: { readonly Index: number } | undefined;
  /** Not part of the API's object: which revision of the service this is, and which record it belongs to. */
  readonly plimsoll: { readonly revision: number; readonly taskId: string };
}

/** The tasks of the services asked for. Removed services have none. */
export function taskViews(snapshot: Snapshot, isAsked: (service: ServiceRecord) => boolean = () => true): TaskView[] {
  const services = [...snapshot.services.values()]
    .map(({ value }) => value)
    .filter((service) => service.removedAtMs === undefined && isAsked(service));
  const asked = new Set(services.map(({ id }) => id));
  const tasks = byService(snapshot.tasks.values(), asked);
  const slots = byService(snapshot.slots.values(), asked);
  return services.flatMap((service) => viewsOf(snapshot, service, tasks.get(service.id), slots.get(service.id)));
}

/** One pass over the records, however many services they are wanted of. */
function byService<T extends { readonly serviceId: string }>(
  entries: Iterable<Entry<T>>,
  asked: ReadonlySet<string>,
): ReadonlyMap<string, readonly Entry<T>[]> {
  const wanted = [...entries].filter(({ value }) => asked.has(value.serviceId));
  return groupBy(wanted, ({ value }) => value.serviceId);
}

/** The attempts of one assignment, those that are over too: cheap, however many tasks its service has. */
export function assignmentTasks(snapshot: Snapshot, service: ServiceRecord, taskId: string): TaskView[] {
  const record = snapshot.tasks.get(taskId);
  const slots = [...snapshot.slots.values()].filter(({ value: { serviceId, history } }) => {
    return serviceId === service.id && history.some((ended) => ended.taskId === taskId);
  });
  const views = viewsOf(snapshot, service, record ? [record] : [], slots);
  return views.filter(({ plimsoll }) => plimsoll.taskId === taskId);
}

/** The id a task is shown under now: that of its attempt, or its own before there is one. */
export function currentTaskId(task: TaskRecord, seen: StatusRecord | undefined): string {
  return seen === undefined ? task.id : attemptId(task.id, seen.attempt);
}

export function serviceTasks(snapshot: Snapshot, service: ServiceRecord): TaskView[] {
  const asked = new Set([service.id]);
  const tasks = byService(snapshot.tasks.values(), asked).get(service.id);
  return viewsOf(snapshot, service, tasks, byService(snapshot.slots.values(), asked).get(service.id));
}

function viewsOf(
  snapshot: Snapshot,
  service: ServiceRecord,
  records: readonly Entry<TaskRecord>[] = [],
  slots: readonly Entry<SlotRecord>[] = [],
): TaskView[] {
  const live = records.flatMap((entry) => liveTask(snapshot, service, entry));
  const pending = slots.flatMap(({ value, revision }) => {
    if (value.pending === undefined) return [];
    const { taskId, sinceMs, reason, revision: wanted } = value.pending;
    return [
      pendingTask(service, { taskId, sinceMs, reason, wanted, version: revision, ...slotFields(service, value) }),
    ];
  });
  // Slots that were scaled away vanish with their past, as in Swarm.
  const replicas = effectiveReplicas(service.spec, snapshot.scales.get(service.id)?.value);
  const known = new Set([...live, ...pending].map((task) => task.ID));
  const past = slots
    .flatMap(({ value, revision }) => value.history.map((ended) => pastTask(service, value, ended, revision)))
    .filter((task) => !known.has(task.ID) && (task.Slot ?? 0) <= replicas);
  const all = [...live, ...pending, ...past];
  const views = isJob(service.spec) ? all.flatMap((task) => jobTask(service, task)) : all;
  return boundedHistory(views, snapshot.cluster?.value.taskHistoryLimit ?? 5);
}

/** A job's tasks shall complete; those of earlier runs are only shown while they stop. Swarm counts its slots from 0. */
function jobTask(service: ServiceRecord, task: TaskView): TaskView[] {
  const Slot = task.Slot === undefined ? undefined : task.Slot - 1;
  const shown = { ...task, Slot, JobIteration: { Index: jobIteration(task.plimsoll.revision) } };
  if (task.plimsoll.revision !== service.revision) return isOver(task) ? [] : [{ ...shown, DesiredState: 'remove' }];
  const shallComplete = task.DesiredState === 'running' || task.Status.State === 'complete';
  return [{ ...shown, DesiredState: shallComplete ? 'complete' : task.DesiredState }];
}

interface Pending {
  readonly taskId: string;
  readonly sinceMs: number;
  readonly reason: string;
  readonly wanted: number;
  readonly version: number;
  readonly Slot?: number | undefined;
  readonly NodeID?: string | undefined;
}

function pendingTask(
  service: ServiceRecord,
  { taskId, sinceMs, reason, wanted, version, Slot, NodeID }: Pending,
): TaskView {
  const since = isoTime(sinceMs);
  return {
    ID: taskId,
    Version: { Index: version },
    CreatedAt: since,
    UpdatedAt: since,
    Labels: {},
    Spec: templateOf(service, wanted),
    ServiceID: service.id,
    Slot,
    NodeID,
    Status: { Timestamp: since, State: 'pending', Message: 'pending task scheduling', Err: reason, PortStatus: {} },
    DesiredState: 'running',
    plimsoll: { revision: wanted, taskId },
  };
}

/** The attempts of one assignment: ended ones, the current one, and the next while its restart is waited for. */
function liveTask(snapshot: Snapshot, service: ServiceRecord, entry: Entry<TaskRecord>): TaskView[] {
  const task = entry.value;
  const status = snapshot.statuses.get(task.id);
  const version = Math.max(entry.revision, status?.revision ?? 0);
  const base = {
    Version: { Index: version },
    Labels: {},
    Spec: task.template,
    ServiceID: task.serviceId,
    ...slotFields(service, task),
    NodeID: task.nodeId,
    GenericResources: task.generic && genericToList(task.generic),
    plimsoll: { revision: task.revision, taskId: task.id },
  };
  if (status === undefined)
    return [{ ...base, ...assignedOnly(task), DesiredState: desiredState(snapshot, service, task) }];
  const seen = status.value;
  const ended = seen.exits
    .filter((exit) => exit.attempt !== seen.attempt)
    .map((exit) => ({ ...base, ...endedAttempt(task, seen, exit) }));
  const shown = isGhost(snapshot, task) ? ghost(task, seen) : currentAttempt(task, seen);
  const current = { ...base, ...shown, Status: withTrouble(snapshot, task, shown.Status) };
  const NetworksAttachments = networkAttachments(snapshot, seen);
  if (!isEnded(seen)) {
    return [...ended, { ...current, NetworksAttachments, DesiredState: desiredState(snapshot, service, task) }];
  }
  if (desiredState(snapshot, service, task) === 'remove') return [];
  const shutdown = { ...current, DesiredState: 'shutdown' as const };
  if (seen.final || task.desired !== 'running') return [...ended, shutdown];
  return [...ended, shutdown, { ...base, ...waitingAttempt(task, seen) }];
}

/** Nobody knows what becomes of a task whose node is not heard of: Swarm says "Running" for a day (moby#37320). */
function isGhost(snapshot: Snapshot, { nodeId }: TaskRecord): boolean {
  return snapshot.liveness.get(nodeId)?.state === 'lost';
}

/** What is wrong though no attempt has failed. */
function withTrouble<T extends { readonly State: string; readonly Err?: string | undefined }>(
  snapshot: Snapshot,
  task: TaskRecord,
  status: T,
): T {
  const isOpen = status.Err === undefined && !isEndedState(status.State) && task.desired !== 'stopped';
  return isOpen ? { ...status, Err: taskTrouble(snapshot, task) } : status;
}

function pastTask(service: ServiceRecord, slot: SlotRecord, ended: HistoryEntry, version: number): TaskView {
  const before = slot.history.find(({ taskId, attempt }) => taskId === ended.taskId && attempt === ended.attempt - 1);
  const template = templateOf(service, ended.revision);
  const finished = isoTime(ended.finishedAtMs);
  return {
    ID: attemptId(ended.taskId, ended.attempt),
    Version: { Index: version },
    CreatedAt: isoTime(before === undefined ? ended.createdAtMs : before.finishedAtMs + 1),
    UpdatedAt: finished,
    Labels: {},
    Spec: { ...template, ContainerSpec: { ...template.ContainerSpec, Image: ended.image } },
    ServiceID: service.id,
    ...slotFields(service, slot),
    NodeID: ended.nodeId,
    Status: endedStatus(finished, ended.state, ended.error, ended.containerId, ended.exitCode ?? 0),
    DesiredState: 'shutdown',
    plimsoll: { revision: ended.revision, taskId: ended.taskId },
  };
}

function desiredState(snapshot: Snapshot, service: ServiceRecord, task: TaskRecord): TaskView['DesiredState'] {
  const slotKey = isGlobal(service.spec) ? task.nodeId : task.slot;
  const slot = snapshot.slots.get(`${service.id}.${slotKey}`)?.value;
  if (slot?.surge?.lostTaskId === task.id) return 'shutdown';
  if (task.desired !== 'stopped') return task.desired;
  const replicas = effectiveReplicas(service.spec, snapshot.scales.get(service.id)?.value);
  return !isGlobal(service.spec) && task.slot > replicas ? 'remove' : 'shutdown';
}

function slotFields(service: ServiceRecord, { slot, nodeId }: { slot: number; nodeId?: string | undefined }) {
  return isGlobal(service.spec) ? { Slot: undefined, NodeID: nodeId } : { Slot: slot };
}

function templateOf(service: ServiceRecord, revision: number): TaskTemplate {
  return service.revisions.find((known) => known.number === revision)?.taskTemplate ?? service.spec.TaskTemplate;
}

/** At most `limit` tasks per slot, the newest; what should still run is always kept. */
function boundedHistory(tasks: readonly TaskView[], limit: number): TaskView[] {
  const bySlot = groupBy(tasks, (task) => task.Slot ?? task.NodeID ?? task.ID);
  return [...bySlot.values()].flatMap((slot) => {
    const [ended, wanted] = [slot.filter(isOver), slot.filter((task) => !isOver(task))];
    const newestFirst = ended.sort((left, right) => right.CreatedAt.localeCompare(left.CreatedAt));
    return [...wanted, ...newestFirst.slice(0, Math.max(0, limit - wanted.length))];
  });
}

const isOver = (task: TaskView): boolean =>
  task.DesiredState === 'shutdown' && (isEndedState(task.Status.State) || task.Status.State === 'orphaned');
