/** How a service was at an earlier time, put together from the decisions that are remembered. Pure. */
import type { PastChange, PastDecision, PastExit } from '../../model/past.ts';
import type { PlacementTable } from '../../model/placement-table.ts';
import type { SlotRecord } from '../../model/slot-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { slotKeyOf } from '../plan/slot.ts';

/** A task as the decisions about it tell; what is older than these is not known. */
export interface PastTask {
  readonly slot: string;
  readonly taskId: string;
  readonly nodeId: string;
  readonly revision: number | undefined;
  /** The last decision about it that let it run. */
  readonly sinceMs: number;
  readonly reason: string;
  readonly stopped: { readonly atMs: number; readonly reason: string } | undefined;
}

export interface PastWait {
  readonly slot: string;
  readonly sinceMs: number;
  readonly reason: string;
}

export interface PastService {
  readonly tasks: readonly PastTask[];
  readonly waits: readonly PastWait[];
  readonly rollout: PastDecision['rollout'];
  /** How placement found the nodes when it last placed a task of a slot, or could not; and that of any slot. */
  tableOf(slot?: string): PlacementTable | undefined;
}

/** What is there of the service now: tells of tasks no decision that is still remembered speaks of. */
export interface PresentService {
  readonly tasks: readonly TaskRecord[];
  readonly slots: readonly SlotRecord[];
}

const FORGOTTEN = 'why it was placed is forgotten';

/** `decisions` are all that are remembered, `atMs` is the time asked for. */
export function serviceThen(decisions: readonly PastDecision[], atMs: number, present: PresentService): PastService {
  const tasks = new Map<string, PastTask>();
  const waits = new Map<string, PastWait>();
  const before = decisions.filter((decision) => decision.atMs <= atMs).sort((a, b) => a.atMs - b.atMs);
  for (const decision of before) {
    for (const change of decision.changes) take(change, decision.atMs, tasks, waits);
  }
  for (const task of [...stoppedLater(decisions, atMs), ...stillThere(present, decisions, atMs)]) {
    if (!tasks.has(task.taskId)) tasks.set(task.taskId, task);
  }
  const concerns = (slot: string | undefined) => (change: PastChange) =>
    (change.what === 'placed' || change.what === 'waits') && (slot === undefined || change.slot === slot);
  return {
    tasks: [...tasks.values()],
    waits: [...waits.values()],
    rollout: before.findLast(({ rollout }) => rollout)?.rollout,
    tableOf: (slot) => before.findLast(({ table, changes }) => table && changes.some(concerns(slot)))?.table,
  };
}

function take(change: PastChange, atMs: number, tasks: Map<string, PastTask>, waits: Map<string, PastWait>): void {
  const { slot, taskId, nodeId, revision, what, reason } = change;
  if (what === 'waits') waits.set(slot, { slot, sinceMs: atMs, reason });
  if (what === 'waits no more' || what === 'placed') waits.delete(slot);
  if (taskId === undefined || nodeId === undefined) return;
  const known = tasks.get(taskId);
  if (what === 'stopped') {
    const lived = known ?? { slot, taskId, nodeId, revision, sinceMs: atMs, reason: FORGOTTEN };
    tasks.set(taskId, { ...lived, stopped: { atMs, reason } });
  } else tasks.set(taskId, { slot, taskId, nodeId, revision, sinceMs: atMs, reason, stopped: undefined });
}

/** Of what ran from before the oldest decision the first that is known may be its end. */
function stoppedLater(decisions: readonly PastDecision[], atMs: number): PastTask[] {
  const sinceMs = Math.min(...decisions.map((decision) => decision.atMs));
  if (sinceMs > atMs) return [];
  const seen = new Set<string>();
  const found: PastTask[] = [];
  const after = decisions.filter((decision) => decision.atMs > atMs).sort((a, b) => a.atMs - b.atMs);
  for (const { slot, taskId, nodeId, revision, what } of after.flatMap(({ changes }) => changes)) {
    if (taskId === undefined || nodeId === undefined || seen.has(taskId)) continue;
    seen.add(taskId);
    if (what === 'placed') continue;
    found.push({ slot, taskId, nodeId, revision, sinceMs, reason: FORGOTTEN, stopped: undefined });
  }
  return found;
}

function stillThere({ tasks, slots }: PresentService, decisions: readonly PastDecision[], atMs: number): PastTask[] {
  const isToldOf = new Set(decisions.flatMap(({ changes }) => changes.map(({ taskId }) => taskId)));
  const live = tasks
    // Told to stop by a decision that is forgotten, nobody knows when.
    .filter((task) => task.createdAtMs <= atMs && (task.desired !== 'stopped' || isToldOf.has(task.id)))
    .map((task): PastTask => {
      const { id: taskId, nodeId, revision, createdAtMs: sinceMs } = task;
      const reason = task.desired === 'stopped' ? FORGOTTEN : task.reason;
      return { slot: slotKeyOf(task), taskId, nodeId, revision, sinceMs, reason, stopped: undefined };
    });
  const gone = slots.flatMap((slot) =>
    slot.history
      .filter((entry) => entry.createdAtMs <= atMs && atMs < entry.finishedAtMs)
      .map(({ taskId, nodeId, revision, createdAtMs: sinceMs }): PastTask => {
        const key = slotKeyOf({ slot: slot.slot, nodeId });
        return { slot: key, taskId, nodeId, revision, sinceMs, reason: FORGOTTEN, stopped: undefined };
      }),
  );
  return [...live, ...gone];
}

/** The ends of a task's attempts until then, the newest first, each once. */
export function exitsUntil(exits: readonly PastExit[], taskId: string, atMs: number): PastExit['exit'][] {
  const ends = exits.filter((past) => past.taskId === taskId && past.exit.finishedAtMs <= atMs);
  return [...new Map(ends.map(({ exit }) => [exit.attempt, exit])).values()].sort((a, b) => b.attempt - a.attempt);
}
