/** What is known of the alerts that ask something of a service, and what was done about them. */
import { z } from 'zod';
import { FormatVersion, Id } from './record-format.ts';

/** What an alert may ask for with its label `plimsoll_action`. */
export const alertActions = ['scale-up', 'scale-down', 'restart', 'rollback', 'freeze'] as const;
export const AlertAction = z.enum(alertActions);
export type AlertAction = z.infer<typeof AlertAction>;

/** An alert as it was last heard of. `fingerprint` and `startsAtMs` together are one episode of it. */
export const AlertState = z.object({
  fingerprint: z.string(),
  name: z.string(),
  action: AlertAction,
  status: z.enum(['firing', 'resolved']),
  startsAtMs: z.number(),
  /** When it was heard that it fires, or that it is over. */
  changedAtMs: z.number(),
  /** When it was last heard of; refreshed now and then. */
  heardAtMs: z.number(),
  /** How many replicas it says are needed. */
  replicas: z.int().min(0).optional(),
});
export type AlertState = z.infer<typeof AlertState>;

/**
 * What an episode of an alert led to, once. begun: written before the service is changed from `version`, so that whoever leads
 * next sees by the service's version whether it was.
 */
export const AlertDeed = z.object({
  fingerprint: z.string(),
  startsAtMs: z.number(),
  action: z.enum(['restart', 'rollback']),
  outcome: z.enum(['begun', 'done', 'refused']),
  atMs: z.number(),
  version: z.int(),
  reason: z.string(),
});
export type AlertDeed = z.infer<typeof AlertDeed>;

/** plim_spec `alert.<service>`: wishes that came in through `/v1/alerts`. */
export const AlertRecord = z.object({
  v: FormatVersion,
  serviceId: Id,
  alerts: z.array(AlertState),
  /** Oldest first. */
  deeds: z.array(AlertDeed),
});
export type AlertRecord = z.infer<typeof AlertRecord>;
