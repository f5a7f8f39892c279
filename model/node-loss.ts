/** `GET /v1/plan/loss/<node>`: what would find no other place if a node were lost now. */
import { z } from 'zod';
import { Id } from './record-format.ts';

export const NodeLoss = z.object({
  node: z.object({ id: Id, name: z.string() }),
  /** Tasks on the node that would have to go elsewhere; those of global services belong to it. */
  tasks: z.int(),
  /** Tasks without a place. What waits for one already is not among them. */
  homeless: z.array(z.object({ service: z.string(), slot: z.int(), reason: z.string() })),
});
export type NodeLoss = z.infer<typeof NodeLoss>;
