/** One slot of a service while it is planned: its tasks as they are, and the changes collected for it. */
import type { ServiceRecord } from '../../model/service-record.ts';
import type { HistoryEntry, SlotRecord } from '../../model/slot-record.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Action, Chain } from './actions.ts';
import { untilGivenUpMs } from './failover.ts';
import type { PlanNode } from './nodes.ts';
import { FAILURES_TO_AVOID_NODE } from './placement.ts';
import { withTallyOf } from './restart-tally.ts';
import { sameValue } from './same-value.ts';

type TaskEntry = NonNullable<ReturnType<Snapshot['tasks']['get']>>;
type SlotEntry = NonNullable<ReturnType<Snapshot['slots']['get']>>;

/** An assignment with what is known of it. */
export interface SlotTask {
  readonly entry: TaskEntry;
  readonly record: TaskRecord;
  readonly status: StatusRecord | undefined;
  readonly node: PlanNode;
  /** Last seen able to do its work, however old that news is. */
  readonly serving: boolean;
  /** Serving, reported by the agent that runs now, on a node that is not lost. */
  readonly ready: boolean;
  /** Given up: on a node that is lost, for as long as its service's failover policy asks. */
  readonly lost: boolean;
  /** Its agent stopped it because it no longer heard the leader, and starts it only when told to. */
  readonly revoked: boolean;
  /** Known not to serve; of a task without a status nothing is known. */
  readonly idle: boolean;
  /** Its agent has failed to keep it up several times in a row. */
  readonly failing: boolean;
  /** Every container of it is known to be gone. */
  readonly gone: boolean;
}

export function slotTaskOf(entry: TaskEntry, status: StatusRecord | undefined, node: PlanNode): SlotTask {
  const serving = status?.ready === true;
  const fresh = status !== undefined && status.incarnation === node.incarnation;
  return {
    entry,
    record: entry.value,
    status,
    node,
    serving,
    ready: serving && fresh && !node.lost,
    lost: untilGivenUpMs(entry.value, node) === 0,
    revoked: status?.revoked === true && (entry.value.resumeAttempt ?? 0) < status.attempt,
    idle: status !== undefined && !serving,
    failing: status !== undefined && isFailing(status, entry.value),
    gone: node.removed || (entry.value.desired === 'stopped' && status?.removed === true),
  };
}

/** The count stays up while a later attempt runs well: only one that is down as well is failing. */
function isFailing(status: StatusRecord, record: TaskRecord): boolean {
  const failuresHere = status.failures - record.priorFailures;
  return !status.final && !status.ready && failuresHere >= FAILURES_TO_AVOID_NODE;
}

/** The key of a slot inside its service: the number, or the node of a global service's slot. */
export function slotKeyOf(task: Pick<TaskRecord, 'slot' | 'nodeId'>): string {
  return task.slot === 0 ? task.nodeId : String(task.slot);
}

type Numbering = Pick<SlotRecord, 'serviceId' | 'lineage'>;

/** The id of the `count`-th task of a slot's record; two leaders derive the same one. */
function taskIdOf({ serviceId, lineage }: Numbering, slotKey: string, count: number): string {
  return derivedId('task', serviceId, slotKey, count, ...(lineage === undefined ? [] : [lineage]));
}

const noTasks: readonly SlotTask[] = [];

/** Collects changes of one slot: at most one write of its record, and one per task, in the order that survives a crash. */
export class Slot {
  readonly key: string;
  readonly service: ServiceRecord;
  /** Assignments that are not gone, stopping ones included. */
  readonly tasks: readonly SlotTask[];
  private readonly before: SlotEntry | undefined;
  private record: SlotRecord;
  private restoring = false;
  private slotReason = 'remembers its tasks';
  private readonly taskActions: Action[] = [];
  /** Most slots change none of their tasks: a hundred thousand empty sets cost more than looking twice. */
  private changed: Set<string> | undefined;
  private leaving: Set<string> | undefined;

  /** `lineage` is for the record of a slot that has none. */
  constructor(
    service: ServiceRecord,
    key: string,
    tasks: readonly SlotTask[],
    before: SlotEntry | undefined,
    lineage: number | undefined,
  ) {
    this.service = service;
    this.key = key;
    this.tasks = tasks;
    this.before = before;
    this.record = completed(before?.value ?? emptySlot(service.id, key, lineage), key, tasks);
  }

  get bucketKey(): string {
    return `${this.service.id}.${this.key}`;
  }

  get number(): number {
    return this.record.slot;
  }

  /** The slot as it will be. */
  get current(): SlotRecord {
    return this.record;
  }

  /** Tasks that run or shall, not counting those told to stop or forgotten in this plan. */
  get live(): readonly SlotTask[] {
    if (this.tasks.length === 0) return noTasks;
    return this.tasks.filter((task) => task.record.desired !== 'stopped' && !this.leaving?.has(task.record.id));
  }

  /** True when a task of it runs or shall, or an assignment it once had is missing: its container may well run. */
  get isTaken(): boolean {
    if (this.isBlank) return false;
    const known = new Set(this.tasks.map((task) => task.record.id));
    return this.live.length > 0 || this.record.assigned.some(({ taskId }) => !known.has(taskId));
  }

  /** True when nothing tells of any task it has. */
  get isBlank(): boolean {
    return this.tasks.length === 0 && this.record.assigned.length === 0;
  }

  /** True when this plan writes or adopts an assignment of the slot: the next plan sees it and goes on. */
  get isRestoring(): boolean {
    return this.restoring;
  }

  /** The id the next task of this slot will have. */
  get nextTaskId(): string {
    return taskIdOf(this.record, this.key, this.record.tasksMade + 1);
  }

  /** True once this plan made a task or asked for one in vain. */
  get isPending(): boolean {
    return this.record.pending !== undefined;
  }

  /** Changes the slot's record; what does not differ in the end is not written. */
  amend(change: Partial<SlotRecord>, reason: string): void {
    let field: keyof SlotRecord;
    let isSame = true;
    for (field in change) isSame &&= sameValue(change[field], this.record[field]);
    if (isSame) return;
    this.record = { ...this.record, ...change };
    this.slotReason = reason;
  }

  makeTask(record: TaskRecord): void {
    this.amend(
      {
        tasksMade: this.record.tasksMade + 1,
        assigned: [...this.record.assigned, assignmentOf(record)],
        ...(this.isPending ? { pending: undefined } : {}),
      },
      record.reason,
    );
    this.taskActions.push({ kind: 'create-task', key: bucketKeyOf(record), record, reason: record.reason });
  }

  /** Writes an assignment again that was lost from its bucket, or adopts a container that has none. */
  restoreTask(record: TaskRecord): void {
    this.restoring = true;
    const known = this.record.assigned.some((assigned) => assigned.taskId === record.id);
    const tasksMade = countOf([record.id], this.record, this.key);
    if (!known) this.amend({ tasksMade, assigned: [...this.record.assigned, assignmentOf(record)] }, record.reason);
    this.taskActions.push({ kind: 'create-task', key: bucketKeyOf(record), record, reason: record.reason });
  }

  changeTask(task: SlotTask, change: Partial<TaskRecord>, reason: string): void {
    this.changed ??= new Set();
    if (this.changed.has(task.record.id)) return;
    this.changed.add(task.record.id);
    this.taskActions.push({
      kind: 'update-task',
      key: task.entry.key,
      record: { ...task.record, ...change, reason },
      expectedRevision: task.entry.revision,
      reason,
    });
  }

  stopTask(task: SlotTask, reason: string): void {
    if (task.record.desired === 'stopped') return;
    this.changeTask(task, { desired: 'stopped' }, reason);
    this.leave(task);
  }

  /** Takes a finished task's attempts into the history, then deletes its record. */
  forgetTask(task: SlotTask, history: readonly HistoryEntry[], reason: string): void {
    this.leave(task);
    const assigned = this.record.assigned.filter((entry) => entry.taskId !== task.record.id);
    this.amend({ assigned, history: [...history], ...withTallyOf(this, task) }, reason);
    this.taskActions.push({
      kind: 'delete-task',
      key: task.entry.key,
      record: task.record,
      expectedRevision: task.entry.revision,
      reason,
    });
  }

  private leave({ record }: SlotTask): void {
    this.leaving ??= new Set();
    this.leaving.add(record.id);
  }

  /** The slot's writes: its own record first, so that a crash in between is seen and repaired. */
  chain(): Chain {
    if (
      sameValue(this.record, this.before?.value) ||
      (!this.before && this.taskActions.length === 0 && !this.isPending && !this.current.completedRevision)
    ) {
      return this.taskActions;
    }
    return [
      {
        kind: 'put-slot',
        key: this.bucketKey,
        record: this.record,
        expectedRevision: this.before?.revision,
        reason: this.slotReason,
      },
      ...this.taskActions,
    ];
  }
}

function bucketKeyOf(record: TaskRecord): string {
  return `${record.nodeId}.${record.id}`;
}

function assignmentOf(record: TaskRecord): SlotRecord['assigned'][number] {
  const { id: taskId, nodeId, revision, generic } = record;
  return { taskId, nodeId, revision, ...(generic && { generic }) };
}

/** How far ahead the count of an older slot record is looked for among the ids of its tasks. */
const MAX_COUNT_SEARCH = 200;

/** The highest count of a slot's record and of tasks with these ids, as far as they are its own. */
function countOf(ids: readonly string[], record: Numbering & Pick<SlotRecord, 'tasksMade'>, key: string): number {
  const known = record.tasksMade;
  for (let count = ids.length === 0 ? known : known + MAX_COUNT_SEARCH; count > known; count -= 1) {
    if (ids.includes(taskIdOf(record, key, count))) return count;
  }
  return known;
}

/** A record that came back older than it was, or is new, knows too few of its tasks: without them an id would be given twice. */
function completed(record: SlotRecord, key: string, tasks: readonly SlotTask[]): SlotRecord {
  if (tasks.length === 0) return record;
  const known = new Set(record.assigned.map(({ taskId }) => taskId));
  const unknown = tasks.filter((task) => !known.has(task.record.id));
  if (unknown.length === 0) return record;
  const ids = unknown.map((task) => task.record.id);
  return {
    ...record,
    tasksMade: countOf(ids, record, key),
    assigned: [...record.assigned, ...unknown.map((task) => assignmentOf(task.record))],
  };
}

/** A slot without a record, perhaps because the record was lost. */
function emptySlot(serviceId: string, key: string, lineage: number | undefined): SlotRecord {
  const isNumber = /^\d{1,9}$/.test(key);
  return {
    v: 1,
    epoch: 0,
    serviceId,
    slot: isNumber ? Number(key) : 0,
    ...(isNumber ? {} : { nodeId: key }),
    ...(lineage === undefined ? {} : { lineage }),
    tasksMade: 0,
    assigned: [],
    failuresByNode: {},
    failuresRevision: 0,
    history: [],
  };
}
