/** A volume made on the cluster: how a node is to make it when the first task there mounts it. */
import { z } from 'zod';
import { FormatVersion, Id } from './record-format.ts';

/** `volume.<id>` in plim_spec. */
export const VolumeRecord = z.object({
  v: FormatVersion,
  id: Id,
  name: z.string(),
  driver: z.string(),
  options: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
  createdAtMs: z.number(),
});
export type VolumeRecord = z.infer<typeof VolumeRecord>;
