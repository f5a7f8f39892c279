/** plim_rollout: how far the roll-out of a revision is. */
import { z } from 'zod';
import { Epoch, FormatVersion, Id, TimeMs } from './record-format.ts';

export const RolloutRecord = z.object({
  v: FormatVersion,
  epoch: Epoch,
  serviceId: Id,
  revision: z.int().min(1),
  /** The bus revision of the service record this roll-out acts on: a paused one starts over when the service is updated. */
  specVersion: z.int().min(0),
  /** The states of Swarm's UpdateStatus. */
  state: z.enum(['updating', 'paused', 'completed', 'rollback_started', 'rollback_paused', 'rollback_completed']),
  message: z.string(),
  /** Of a rollback nobody asked for: the update's failure that led to it. */
  cause: z.string().optional(),
  startedAtMs: TimeMs,
  completedAtMs: TimeMs.optional(),
  /** When the roll-out last made progress. */
  progressAtMs: TimeMs,
  /** Slots in work or done, by slot key: when their new task was made, and when it became ready. */
  slots: z.record(
    z.string(),
    z.object({
      taskId: Id,
      startedAtMs: TimeMs,
      readyAtMs: TimeMs.optional(),
      /** The old task has been told to stop, or the new one failed: the worker waits the delay and takes the next slot. */
      doneAtMs: TimeMs.optional(),
      failed: z.boolean(),
      /** It failed by taking too long, not by ending. */
      overdue: z.boolean().optional(),
      /** When the old task was gone that had to go first; until then, when it has to be. */
      roomFromMs: TimeMs.optional(),
      /** The attempt its task was at when the slot came into work, of a task that was there before. */
      attemptFound: z.int().optional(),
    }),
  ),
});
export type RolloutRecord = z.infer<typeof RolloutRecord>;
