/** plim_lease, and the highest epoch in plim_spec: who leads. */
import { z } from 'zod';
import { Epoch, FormatVersion } from './record-format.ts';

/** `leader`: who leads. `epoch` grows with every change of hands. */
export const LeaseRecord = z.object({
  v: FormatVersion,
  epoch: Epoch,
  holderId: z.string(),
  holderNodeId: z.string(),
  renewal: z.int(),
});
export type LeaseRecord = z.infer<typeof LeaseRecord>;

/** plim_spec `epoch.leader`: the highest epoch ever handed out; outlives the lease, which lies in memory. */
export const EpochRecord = z.object({ v: FormatVersion, epoch: Epoch });
export type EpochRecord = z.infer<typeof EpochRecord>;
