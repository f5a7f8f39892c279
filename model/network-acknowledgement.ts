/** `plim.ack.<announcer>.<by>`: a node has applied what another announced of its tasks on a network. */
import { z } from 'zod';
import { Id } from './records.ts';

export const NetworkAcknowledgement = z.object({
  networkId: Id,
  /** Of the announcement in plim_endpoint. */
  revision: z.int().min(0),
});
export type NetworkAcknowledgement = z.infer<typeof NetworkAcknowledgement>;
