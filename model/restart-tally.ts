/** Restarts of a slot at one revision, on all nodes it has been on: what a restart policy's `MaxAttempts` counts. */
import { z } from 'zod';

export const RestartTally = z.object({
  count: z.int().min(0),
  /** When they were, oldest first, by the wall clocks of their nodes: for a policy with a window. The last hundred. */
  atMs: z.array(z.number()),
});
export type RestartTally = z.infer<typeof RestartTally>;
