/** How a service was at an earlier time, put together from the decisions that are remembered. Pure. */
import type { PastChange, PastDecision, PastExit } from '../../model/past.ts';
import type { PlacementTable } from '../../model/placement-table.ts';

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

/** `decisions` are all that are remembered, `atMs` is the time asked for. */
export function serviceThen(decisions: readonly PastDecision[], atMs: number): PastService {
  const tasks = new Map<string, PastTask>();
  const waits = new Map<string, PastWait>();
  const before = decisions.filter((decision) => decision.atMs <= atMs).sort((a, b) => a.atMs - b.atMs);
  for (const decision of before) {
    for (const change of decision.changes) take(change, decision.atMs, tasks, waits);
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
    const lived = known ?? { slot, taskId, nodeId, revision, sinceMs: atMs, reason: 'why it was placed is forgotten' };
    tasks.set(taskId, { ...lived, stopped: { atMs, reason } });
  } else tasks.set(taskId, { slot, taskId, nodeId, revision, sinceMs: atMs, reason, stopped: undefined });
}

/** The ends of a task's attempts until then, the newest first, each once. */
export function exitsUntil(exits: readonly PastExit[], taskId: string, atMs: number): PastExit['exit'][] {
  const ends = exits.filter((past) => past.taskId === taskId && past.exit.finishedAtMs <= atMs);
  return [...new Map(ends.map(({ exit }) => [exit.attempt, exit])).values()].sort((a, b) => b.attempt - a.attempt);
}
