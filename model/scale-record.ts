/** What the autoscaler decided of a service last: the leader's word over the count of replicas in its specification. */
import { z } from 'zod';
import { FormatVersion, Id } from './record-format.ts';
import { desiredReplicas } from './service-defaults.ts';
import type { ServiceSpec } from './service-spec.ts';

/** What a load was measured against. */
export const LoadReading = z.object({
  source: z.enum(['cpu', 'memory', 'query', 'connections', 'nats', 'alert']),
  /** In the target's unit; absent when it could not be told. */
  value: z.number().optional(),
  target: z.number(),
  /** Replicas this load asks for; absent when it could not be told. */
  wanted: z.int().min(0).optional(),
  /** Sentence for people. */
  words: z.string(),
});
export type LoadReading = z.infer<typeof LoadReading>;

/**
 * What kept the count from being what the load asks for.
 * following: nothing. at-max, at-min: the service's bounds. pacing: windows, steps and cool-downs. frozen: an update is under
 * way, or an alert says so. no-room: replicas wait for a node. blind: a load could not be told. held: somebody scaled the service by hand.
 */
export const scaleConditions = [
  'following',
  'at-max',
  'at-min',
  'pacing',
  'frozen',
  'no-room',
  'blind',
  'held',
] as const;
export const ScaleCondition = z.enum(scaleConditions);
export type ScaleCondition = z.infer<typeof ScaleCondition>;

/** `<service>` */
export const ScaleRecord = z.object({
  v: FormatVersion,
  epoch: z.int().min(0),
  serviceId: Id,
  replicas: z.int().min(0),
  reason: z.string(),
  decidedAtMs: z.number(),
  /** The specification's own count when this was decided: once it differs, somebody has scaled by hand, and that counts. */
  specReplicas: z.int().min(0).optional(),
  /** advise: `replicas` is only what it would do. */
  mode: z.enum(['on', 'advise']).optional(),
  condition: ScaleCondition.optional(),
  /** What the load asks for before bounds and pace; absent while it cannot be told. */
  wanted: z.int().min(0).optional(),
  readings: z.array(LoadReading).optional(),
  /** When the count was last another one. */
  changedAtMs: z.number().optional(),
  /** Until when the count somebody set by hand is left alone. */
  heldUntilMs: z.number().optional(),
});
export type ScaleRecord = z.infer<typeof ScaleRecord>;

/** How many replicas a service shall have now: the autoscaler's count, or its specification's own. */
export function effectiveReplicas(spec: ServiceSpec, scale: ScaleRecord | undefined): number {
  const own = desiredReplicas(spec);
  const isCounted = scale !== undefined && scale.mode !== 'advise' && (scale.specReplicas ?? own) === own;
  return isCounted ? scale.replicas : own;
}
