/** plim_spec: what is set for the cluster as a whole. */
import { z } from 'zod';
import { FormatVersion, Id, TimeMs } from './record-format.ts';

/** `cluster.main`: settings of the cluster as `docker swarm update` changes them. */
export const ClusterRecord = z.object({
  v: FormatVersion,
  id: Id,
  taskHistoryLimit: z.int().min(0),
  labels: z.record(z.string(), z.string()),
  /** Grows with each new token for alerts; absent: 0. */
  alertTokenNumber: z.int().min(0).optional(),
  createdAtMs: TimeMs,
  updatedAtMs: TimeMs,
});
export type ClusterRecord = z.infer<typeof ClusterRecord>;
