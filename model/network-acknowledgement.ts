/** `plim.ack.<announcer>.<by>`: a node has applied what another announced of its tasks on a network, or of its published ports. */
import { z } from 'zod';
import { Id } from './record-format.ts';

export const NetworkAcknowledgement = z.object({
  /** Absent = its published ports, in plim_mesh. */
  networkId: Id.optional(),
  /** Of the announcement in plim_endpoint or plim_mesh. */
  revision: z.int().min(0),
});
export type NetworkAcknowledgement = z.infer<typeof NetworkAcknowledgement>;
