/**
 * What the agent remembers of a task between looks at the engine: the current attempt and what became of the earlier
 * ones. Plain values and pure transitions; an attempt only moves forward through its states.
 */
import { z } from 'zod';
import { AttemptState, attemptStates, ExitRecord } from '../../model/status-record.ts';
import { type TaskRecord } from '../../model/task-record.ts';
import type { Now, ObservedContainer } from './observed-container.ts';

const EXITS_KEPT = 5;

export const TaskMemory = z.object({
  attempt: z.int().min(1),
  state: AttemptState,
  message: z.string(),
  error: z.string().optional(),
  /** The failure's kind as the failures metric counts it. */
  failureKind: z.string().optional(),
  containerId: z.string().optional(),
  exitCode: z.int().optional(),
  changedAtMs: z.number(),
  startedAtMs: z.number().optional(),
  /** This attempt has been ready: an engine that starts its health checks over does not take that back. */
  wasReady: z.boolean(),
  /** The image must be looked for (and pulled) before the next create. */
  needsImage: z.boolean(),
  /** Why this attempt is being stopped in order to be replaced by the next one. */
  replaceReason: z.string().optional(),
  failures: z.int().min(0),
  restarts: z.int().min(0),
  /** Wall times of the restarts, for a restart policy with a window. */
  restartedAtMs: z.array(z.number()),
  oomKills: z.int().min(0),
  exits: z.array(ExitRecord),
  /** When the next attempt may begin: on the wall clock for people, on the elapsed one for the decision. */
  retryAtMs: z.number().optional(),
  retryAtElapsedMs: z.number().optional(),
  final: z.boolean(),
  /** Ended because the leader was not heard (`plimsoll.failover.on-disconnect=stop`); only its word begins another. */
  revoked: z.boolean().optional(),
  /** Every container of a stopped task is gone. */
  removed: z.boolean(),
});
export type TaskMemory = z.infer<typeof TaskMemory>;

/** The memory of a task nothing has been done for yet. Back-off goes on from the slot's earlier failures. */
export function freshMemory(record: TaskRecord, now: Now): TaskMemory {
  return {
    ...blankAttempt(1, now),
    needsImage: record.desired === 'ready' || usesMovingTag(record.template.ContainerSpec.Image),
    failures: record.priorFailures,
    restarts: 0,
    restartedAtMs: [],
    oomKills: 0,
    exits: [],
  };
}

function blankAttempt(attempt: number, now: Now) {
  return {
    attempt,
    state: 'assigned',
    message: 'assigned',
    changedAtMs: now.wallMs,
    wasReady: false,
    final: false,
    removed: false,
  } as const;
}

/** The next attempt begins; what ended stays in `exits`. An image that could not be had is still to be had. */
export function beginAttempt(memory: TaskMemory, attempt: number, now: Now): TaskMemory {
  return {
    ...blankAttempt(attempt, now),
    needsImage: memory.needsImage,
    failures: memory.failures,
    restarts: memory.restarts + 1,
    restartedAtMs: [...memory.restartedAtMs, now.wallMs].slice(-100),
    oomKills: memory.oomKills,
    exits: memory.exits,
  };
}

export function hasEnded(memory: TaskMemory): boolean {
  return attemptStates.indexOf(memory.state) >= attemptStates.indexOf('complete');
}

/** Moves the attempt forward to `state`; a step back changes nothing. */
export function advance(memory: TaskMemory, state: AttemptState, message: string, now: Now): TaskMemory {
  if (attemptStates.indexOf(state) <= attemptStates.indexOf(memory.state)) return memory;
  return { ...memory, state, message, changedAtMs: now.wallMs };
}

/** How an attempt ended, before its consequences are drawn. */
export interface AttemptEnd {
  readonly state: ExitRecord['state'];
  readonly message: string;
  readonly error: string;
  readonly failureKind: string | undefined;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly finishedAtMs: number;
}

export function endAttempt(memory: TaskMemory, end: AttemptEnd, now: Now): TaskMemory {
  const exit: ExitRecord = {
    attempt: memory.attempt,
    containerId: memory.containerId ?? '',
    exitCode: end.exitCode,
    oomKilled: end.oomKilled,
    error: end.error,
    startedAtMs: memory.startedAtMs,
    finishedAtMs: end.finishedAtMs,
    state: end.state,
  };
  return {
    ...memory,
    state: end.state,
    message: end.message,
    error: end.error === '' ? undefined : end.error,
    failureKind: end.failureKind,
    exitCode: end.exitCode,
    changedAtMs: now.wallMs,
    oomKills: memory.oomKills + (end.oomKilled ? 1 : 0),
    exits: [...memory.exits, exit].slice(-EXITS_KEPT),
  };
}

/** Takes over what the engine says of the current attempt's running container. */
export function noteRunning(memory: TaskMemory, container: ObservedContainer, now: Now): TaskMemory {
  const noted = { ...memory, containerId: container.id, startedAtMs: container.startedAtMs };
  const isHealthy = container.health === 'none' || container.health === 'healthy';
  const { readiness = 'passing' } = container;
  const up = isHealthy && (readiness === 'passing' || memory.wasReady);
  if (!up) return advance(noted, 'starting', 'starting', now);
  return { ...advance(noted, 'running', 'started', now), wasReady: true };
}

/** Tags that mean "the newest": looked up anew for every task; all others are taken as they lie on the node. */
function usesMovingTag(image: string): boolean {
  if (image.includes('@')) return false;
  const name = image.slice(image.lastIndexOf('/') + 1);
  return !name.includes(':') || name.endsWith(':latest');
}
