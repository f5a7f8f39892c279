/** What `/v1/autoscale` answers and takes. */
import { z } from 'zod';
import { Id } from './record-format.ts';
import { LoadReading } from './scale-record.ts';

/** `GET /v1/autoscale` (all) and `/v1/autoscale/<service>`: a service that scales itself. */
export const AutoscaleView = z.object({
  id: Id,
  name: z.string(),
  mode: z.enum(['on', 'advise']),
  min: z.int(),
  max: z.int(),
  /** Wanted now, whoever said so. */
  replicas: z.int(),
  ready: z.int(),
  /** What the autoscaler decided; absent before its first decision. */
  decided: z.int().optional(),
  condition: z.string(),
  reason: z.string(),
  decidedAtMs: z.number().optional(),
  heldUntilMs: z.number().optional(),
  readings: z.array(LoadReading),
  /** Its labels about it, by name without `plimsoll.autoscale.`. */
  options: z.record(z.string(), z.string()),
});
export type AutoscaleView = z.infer<typeof AutoscaleView>;

/** `POST /v1/autoscale/<service>`: labels to set, by name without `plimsoll.autoscale.`, and those to take away. */
export const AutoscaleChange = z.object({
  set: z.record(z.string().min(1), z.string()).default({}),
  remove: z.array(z.string()).default([]),
});
export type AutoscaleChange = z.infer<typeof AutoscaleChange>;

export const AutoscaleChanged = z.object({ name: z.string(), warnings: z.array(z.string()) });
export type AutoscaleChanged = z.infer<typeof AutoscaleChanged>;
