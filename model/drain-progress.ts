/** How far a drain is: what the native API answers on `/v1/nodes/<node>/drain`. */
import { z } from 'zod';
import { Id } from './record-format.ts';

export const DrainProgress = z.object({
  id: Id,
  node: z.string(),
  /** False while its availability is another. */
  draining: z.boolean(),
  /** Tasks still on it, by name, and what each waits for. */
  left: z.array(z.object({ task: z.string(), waitsFor: z.string() })),
  /** Of tasks that had to leave without another place to go: nobody runs them. */
  homeless: z.array(z.object({ task: z.string(), reason: z.string() })),
});
export type DrainProgress = z.infer<typeof DrainProgress>;
