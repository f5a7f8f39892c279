/** Finds a shorter history that breaks the same invariant: the rest of it has nothing to do with the bug. */
import type { History, HistoryEntry } from './happenings.ts';

/** Whether a history still breaks it. */
export type StillBreaks = (history: History) => Promise<boolean>;

/** Leaves out ever smaller parts for as long as `breaks` holds; runs at most `runs` histories. */
export async function shrink(history: History, breaks: StillBreaks, runs: number): Promise<History> {
  let best = history;
  let left = runs;
  for (let size = Math.ceil(best.entries.length / 2); size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
    for (let at = 0; at < best.entries.length && left > 0; ) {
      const shorter = { ...best, entries: without(best.entries, at, size) };
      left -= 1;
      if (await breaks(shorter)) best = shorter;
      else at += size;
    }
  }
  return best;
}

function without(entries: readonly HistoryEntry[], at: number, size: number): HistoryEntry[] {
  return [...entries.slice(0, at), ...entries.slice(at + size)];
}
