/**
 * When the next attempt of a task may begin. Swarm's restart policy is obeyed to the letter where the user gave one
 * (delay, condition, attempts, window); without a delay the wait doubles instead of Swarm's constant 5 s.
 */

import { type RestartRules, restartRules } from '../../model/service-defaults.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Now } from './observed-container.ts';
import type { TaskMemory } from './task-memory.ts';

/** A run this long is a success: the next failure starts counting from one. */
const GOOD_RUN_MS = 60_000;
const EXIT_BACKOFF = { firstMs: 100, maxMs: 30_000 };
/** An image that is missing or a container that cannot be made does not get better within milliseconds. */
const REJECTION_BACKOFF = { firstMs: 1_000, maxMs: 30_000 };

/** Draws the consequences of an attempt that just ended: final, or when to try again. */
export function decideRestart(memory: TaskMemory, record: TaskRecord, now: Now): TaskMemory {
  const rules = restartRules(record.template.RestartPolicy);
  const failures = ranWell(memory) ? 1 : memory.failures + 1;
  if (mayNotRestart(memory, record, rules, now)) return { ...memory, failures, final: true };
  const waitMs = rules.delayMs ?? defaultWaitMs(memory, failures);
  return { ...memory, failures, retryAtMs: now.wallMs + waitMs, retryAtElapsedMs: now.elapsedMs + waitMs };
}

function ranWell(memory: TaskMemory): boolean {
  const exit = memory.exits.at(-1);
  return exit?.startedAtMs !== undefined && exit.finishedAtMs - exit.startedAtMs >= GOOD_RUN_MS;
}

/** The first failure waits for nothing, the second 100 ms, then doubling. */
function defaultWaitMs(memory: TaskMemory, failures: number): number {
  if (memory.state === 'rejected') return backoffMs(REJECTION_BACKOFF, failures);
  return backoffMs(EXIT_BACKOFF, failures - 1);
}

function mayNotRestart(memory: TaskMemory, record: TaskRecord, rules: RestartRules, now: Now): boolean {
  if (rules.condition === 'none') return true;
  if (memory.state === 'complete' && (rules.condition === 'on-failure' || record.job)) return true;
  if (rules.maxAttempts === 0) return false;
  return restartsThatCount(memory, rules, record.priorRestarts, now) >= rules.maxAttempts;
}

/** Those of the slot's tasks before this one, on whichever nodes, count as its own. */
function restartsThatCount(
  { restarts, restartedAtMs }: TaskMemory,
  { windowMs }: RestartRules,
  prior: TaskRecord['priorRestarts'],
  now: Now,
): number {
  if (windowMs === 0) return restarts + (prior?.count ?? 0);
  return [...(prior?.atMs ?? []), ...restartedAtMs].filter((atMs) => atMs > now.wallMs - windowMs).length;
}
