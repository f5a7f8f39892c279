/** What a task with `plimsoll.failover.on-disconnect=stop` needs in order to run here: the leader's answer, lately. Pure. */
import type { TaskRecord } from '../../model/task-record.ts';
import type { Now } from './observed-container.ts';
import { beginAttempt, endAttempt, hasEnded, type TaskMemory } from './task-memory.ts';

/** valid: run it. unknown: the leader was not heard yet, start nothing. expired: it must not run here any more. */
export type Permit = 'valid' | 'unknown' | 'expired';

export const REVOKED_REASON =
  'this node has not heard the leader for plimsoll.failover.after, and plimsoll.failover.on-disconnect=stop';

/** As the failures metric counts it. */
export const CUT_OFF = 'cut-off';

/** The attempt is over until the leader says that another may begin; what its restart policy ended stays as it is. */
export function revoke(memory: TaskMemory, now: Now): TaskMemory {
  if (memory.final) return memory;
  if (hasEnded(memory)) return { ...memory, final: true, revoked: true };
  const end = { state: 'shutdown', message: 'shutdown', error: REVOKED_REASON, failureKind: CUT_OFF } as const;
  const ended = endAttempt(memory, { ...end, exitCode: 0, oomKilled: false, finishedAtMs: now.wallMs }, now);
  return { ...ended, final: true, revoked: true };
}

/** The leader has said of this revoked attempt that another may begin. */
export function isResumed({ revoked, attempt }: TaskMemory, { resumeAttempt = 0 }: TaskRecord): boolean {
  return revoked === true && resumeAttempt >= attempt;
}

/** Revokes a task that had been told to run again and has not begun to: the leader has to say so of the new attempt. */
export function revokeAnew(memory: TaskMemory, now: Now): TaskMemory {
  return revoke(beginAttempt(memory, memory.attempt + 1, now), now);
}
