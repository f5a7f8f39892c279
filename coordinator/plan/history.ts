/** What a slot remembers of tasks whose records are deleted: one entry per attempt, newest last. */
import type { HistoryEntry } from '../../model/slot-record.ts';
import type { SlotTask } from './slot.ts';

/** Swarm's default of `docker swarm update --task-history-limit`. */
export const DEFAULT_HISTORY_LIMIT = 5;

/** The history with the attempts of a finished task, cut to `limit` entries; adding a task twice changes nothing. Pure. */
export function remember(
  history: readonly HistoryEntry[],
  task: SlotTask,
  nowMs: number,
  limit: number,
): readonly HistoryEntry[] {
  const known = new Set(history.map(attemptKey));
  const added = attemptsOf(task, nowMs).filter((entry) => !known.has(attemptKey(entry)));
  const all = [...history, ...added].sort((a, b) => a.finishedAtMs - b.finishedAtMs || a.attempt - b.attempt);
  return limit === 0 ? [] : all.slice(-limit);
}

function attemptKey(entry: HistoryEntry): string {
  return `${entry.taskId}/${entry.attempt}`;
}

function attemptsOf(task: SlotTask, nowMs: number): HistoryEntry[] {
  const exits = task.status?.exits ?? [];
  const entries = exits.map(
    (exit): HistoryEntry => ({
      ...commonPart(task),
      attempt: exit.attempt,
      state: exit.state,
      error: exit.error,
      exitCode: exit.exitCode,
      containerId: exit.containerId,
      createdAtMs: exit.attempt === 1 ? task.record.createdAtMs : (exit.startedAtMs ?? task.record.createdAtMs),
      finishedAtMs: exit.finishedAtMs,
    }),
  );
  const lastAttempt = task.status?.attempt ?? 1;
  if (exits.some((exit) => exit.attempt === lastAttempt)) return entries;
  return [...entries, lastEntry(task, lastAttempt, nowMs)];
}

/** The last attempt left no exit: it never started, or its node is gone with it. */
function lastEntry(task: SlotTask, attempt: number, nowMs: number): HistoryEntry {
  return {
    ...commonPart(task),
    attempt,
    state: task.node.removed ? 'orphaned' : 'shutdown',
    error: task.status?.error ?? '',
    containerId: task.status?.containerId ?? '',
    createdAtMs: task.record.createdAtMs,
    finishedAtMs: task.node.removed ? nowMs : (task.status?.changedAtMs ?? nowMs),
  };
}

function commonPart(task: SlotTask): Pick<HistoryEntry, 'taskId' | 'nodeId' | 'revision' | 'image'> {
  const { id, nodeId, revision, template } = task.record;
  return { taskId: id, nodeId, revision, image: template.ContainerSpec.Image };
}
