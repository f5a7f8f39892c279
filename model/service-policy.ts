/** What a service's `plimsoll.` labels say about updates, failover and planned disruptions; unset ones filled in. Pure. */
import { parseDurationMs } from './duration.ts';

type Labels = Readonly<Record<string, string>> | undefined;

/** How long a slot's new task may take to become ready before its update counts it as failed. */
export const PROGRESS_DEADLINE_LABEL = 'plimsoll.update.progress-deadline';
/** How long a host may be gone before its tasks are replaced. */
export const FAILOVER_AFTER_LABEL = 'plimsoll.failover.after';
/** What a host that hears nothing of the cluster any more does with its tasks. */
export const ON_DISCONNECT_LABEL = 'plimsoll.failover.on-disconnect';
/** How many replicas planned work (drains, replacing the unhealthy) may take away at a time. */
export const MAX_UNAVAILABLE_LABEL = 'plimsoll.budget.max-unavailable';

const DEFAULT_PROGRESS_DEADLINE_MS = 600_000;
/** What a task needs to be gone beyond its grace period: an agent's turn, an engine's delay, a leader that does not know it was one. */
export const STOP_MARGIN_MS = 5_000;
const DEFAULT_STOP_AFTER_MS = 30_000;

export function progressDeadlineMs(labels: Labels): number {
  return durationOf(labels, PROGRESS_DEADLINE_LABEL) ?? DEFAULT_PROGRESS_DEADLINE_MS;
}

export interface FailoverPolicy {
  /**
   * keep: tasks of a host that is cut off run on, their stand-ins start beside them.
   * stop: such a host stops its task itself, and the stand-in starts only when it must have done so: never two.
   */
  readonly onDisconnect: 'keep' | 'stop';
  /** keep: how long a host is lost before the stand-in starts. stop: how long after its last contact a host stops it. */
  readonly afterMs: number;
}

/** Whether its tasks run only where the leader is heard. */
export function stopsOnDisconnect(labels: Labels): boolean {
  return labels?.[ON_DISCONNECT_LABEL] === 'stop';
}

export function failoverPolicy(labels: Labels): FailoverPolicy {
  const onDisconnect = stopsOnDisconnect(labels) ? 'stop' : 'keep';
  const afterMs = durationOf(labels, FAILOVER_AFTER_LABEL);
  return { onDisconnect, afterMs: afterMs ?? (onDisconnect === 'stop' ? DEFAULT_STOP_AFTER_MS : 0) };
}

export interface DisruptionBudget {
  readonly maxUnavailable: number;
  /** False when nobody set it: replicas that are beyond waiting for do not count then. */
  readonly isExplicit: boolean;
}

/** A share is rounded up, so that it never forbids everything. */
export function disruptionBudget(labels: Labels, replicas: number): DisruptionBudget {
  const text = labels?.[MAX_UNAVAILABLE_LABEL];
  if (text === undefined) return { maxUnavailable: 1, isExplicit: false };
  const amount = Number(text.replace(/%$/, ''));
  const maxUnavailable = text.endsWith('%') ? Math.ceil((replicas * amount) / 100) : amount;
  return { maxUnavailable: Math.max(1, maxUnavailable), isExplicit: true };
}

/** Whether a label says a number of replicas or a share of them: `2`, `25%`. */
export function isMaxUnavailable(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) || /^(?:[1-9]\d?|100)%$/.test(text);
}

function durationOf(labels: Labels, label: string): number | undefined {
  const text = labels?.[label];
  return text === undefined ? undefined : parseDurationMs(text);
}
