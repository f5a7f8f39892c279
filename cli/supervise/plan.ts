/** What a supervisor should do next. Pure. A supervisor only ever starts processes; stopping is the operator's word. */
import { type BackoffRule, backoffMs } from '../../runtime/backoff.ts';
import type { Unit } from './unit.ts';

/** A process that ran this long was no failed start. */
const STEADY_MS = 10_000;
const restartBackoff: BackoffRule = { firstMs: 100, maxMs: 10_000 };

export interface ObservedUnit {
  readonly unit: Unit;
  readonly alive: boolean;
  /** Short runs in a row. */
  readonly failures: number;
  /** Elapsed clock; undefined before the first end this supervisor has seen. */
  readonly endedAtMs: number | undefined;
}

/** Names of the units to start now, each after those it names in `after`. */
export function unitsToStart(units: readonly ObservedUnit[], nowMs: number): string[] {
  const due = units.filter((each) => !each.alive && nowMs >= dueAtMs(each));
  return inStartOrder(due.map((each) => each.unit)).map((unit) => unit.name);
}

/** When a dead unit may start again. */
export function dueAtMs(unit: ObservedUnit): number {
  if (unit.endedAtMs === undefined) return Number.NEGATIVE_INFINITY;
  // The first failure restarts at once: most are a kill, not a crash loop.
  return unit.endedAtMs + backoffMs(restartBackoff, unit.failures - 1);
}

/** Short runs in a row, after one more end. */
export function failuresAfter(previous: number, ranMs: number): number {
  return ranMs >= STEADY_MS ? 1 : previous + 1;
}

/** Units with every `after` of theirs that is among them in front; else by name. */
export function inStartOrder(units: readonly Unit[]): Unit[] {
  const waiting = [...units].sort((left, right) => left.name.localeCompare(right.name));
  const ordered: Unit[] = [];
  while (waiting.length > 0) {
    const free = waiting.findIndex((unit) => !waiting.some((other) => unit.after.includes(other.name)));
    // A circle has no right order: take the first.
    ordered.push(...waiting.splice(Math.max(free, 0), 1));
  }
  return ordered;
}
