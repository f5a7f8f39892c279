/** What of the autoscaler's decisions is written down, and how long a count set by hand stands. Pure. */
import type { Entry } from '../../bus/bus.ts';
import type { LoadReading, ScaleRecord } from '../../model/scale-record.ts';
import { desiredReplicas } from '../../model/service-defaults.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import type { Decision } from './decide.ts';
import type { AutoscalePolicy } from './policy.ts';

/** Conditions that come and go are written down this often at the most, and the inputs of a decision that stands as often. */
const REWRITE_MS = 10_000;
const REFRESH_MS = 60_000;

/**
 * Until when the count in the specification is left alone, in wall time: since somebody changed it, or for ever when it was
 * set to 0. A clock that was set back makes it no longer than the policy says.
 */
export function heldUntil(
  spec: ServiceSpec,
  { min, holdOffMs }: AutoscalePolicy,
  scale: ScaleRecord | undefined,
  nowMs: number,
): number {
  const own = desiredReplicas(spec);
  if (own === 0 && min > 0) return Number.POSITIVE_INFINITY;
  if (scale === undefined) return nowMs;
  if (scale.specReplicas !== undefined && scale.specReplicas !== own) return nowMs + holdOffMs;
  return Math.min(scale.heldUntilMs ?? nowMs, nowMs + holdOffMs);
}

export interface Decided {
  readonly record: ServiceRecord;
  readonly policy: AutoscalePolicy;
  readonly decision: Decision;
  readonly readings: readonly LoadReading[];
  readonly heldUntilMs: number;
  /** What was written before, and the count that stood when this was decided. */
  readonly scale: Entry<ScaleRecord> | undefined;
  readonly current: number;
  readonly nowMs: number;
}

export function newRecord(decided: Decided, epoch: number): ScaleRecord {
  const { record, policy, decision, readings, heldUntilMs, nowMs, scale, current } = decided;
  const { replicas, condition, reason, wanted } = decision;
  const isChange = policy.mode === 'on' && replicas !== current;
  const changedAtMs = isChange ? nowMs : scale?.value.changedAtMs;
  return {
    v: 1,
    epoch,
    serviceId: record.id,
    replicas,
    reason,
    condition,
    readings: [...readings],
    decidedAtMs: nowMs,
    specReplicas: desiredReplicas(record.spec),
    mode: policy.mode,
    ...(changedAtMs === undefined ? {} : { changedAtMs }),
    ...(wanted === undefined ? {} : { wanted }),
    ...(heldUntilMs > nowMs && Number.isFinite(heldUntilMs) ? { heldUntilMs } : {}),
  };
}

/** A new count always is; so that conditions and inputs are told without a write every other second, those wait a little. */
export function isWorthWriting(before: ScaleRecord | undefined, next: ScaleRecord): boolean {
  if (before === undefined || before.replicas !== next.replicas || before.mode !== next.mode) return true;
  if (before.specReplicas !== next.specReplicas) return true;
  const ageMs = Math.abs(next.decidedAtMs - before.decidedAtMs);
  const isNews = before.condition !== next.condition || (next.condition === 'blind' && before.reason !== next.reason);
  if (isNews) return ageMs >= REWRITE_MS;
  return ageMs >= REFRESH_MS;
}
