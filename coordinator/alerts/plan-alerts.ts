/** What firing alerts lead to beside a count of replicas: a restart or a rollback, once for each time an alert begins. Pure. */
import type { AlertDeed, AlertRecord, AlertState } from '../../model/alert-record.ts';
import { durationText } from '../../model/duration.ts';
import type { RolloutRecord } from '../../model/rollout-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import { type AlertPolicy, alertPolicy } from './alert-policy.ts';
import { standingOf, withoutForgotten } from './alert-state.ts';
import { lastUpdate } from './last-update.ts';

/** In the whole cluster: an alert about everything must not restart everything at once. */
const DEEDS_A_MINUTE = 5;
const MINUTE_MS = 60_000;

/** A service alerts have asked something of. */
export interface AlertedService {
  readonly alerts: AlertRecord;
  /** Undefined once it is gone. */
  readonly service: ServiceRecord | undefined;
  /** Of the service's record. */
  readonly version: number;
  readonly rollout: RolloutRecord | undefined;
}

interface OfAlert {
  readonly serviceId: string;
  readonly alert: AlertState;
  /** Sentence for people. */
  readonly reason: string;
}

export type AlertStep =
  /** Change the service from `version`, then write it down as done; where it was begun before, it is begun already. */
  | (OfAlert & { readonly kind: 'do'; readonly deed: AlertDeed; readonly isBegun: boolean })
  /** Write down that nothing is to be done about this episode, or that it was done. */
  | (OfAlert & { readonly kind: 'note'; readonly deed: AlertDeed })
  | (OfAlert & { readonly kind: 'wait' })
  | { readonly kind: 'put'; readonly serviceId: string; readonly record: AlertRecord }
  | { readonly kind: 'forget'; readonly serviceId: string };

/** `nowMs` is wall time, as in the records. */
export function planAlerts(services: readonly AlertedService[], nowMs: number): AlertStep[] {
  const recent = services
    .flatMap(({ alerts }) => alerts.deeds)
    .filter(({ outcome, atMs }) => {
      return outcome !== 'refused' && Math.abs(nowMs - atMs) < MINUTE_MS;
    });
  let left = DEEDS_A_MINUTE - recent.length;
  return services.flatMap((alerted) => {
    const steps = stepsOf(alerted, left, nowMs);
    left -= steps.filter((step) => step.kind === 'do' && !step.isBegun).length;
    return steps;
  });
}

function stepsOf(alerted: AlertedService, left: number, nowMs: number): AlertStep[] {
  const { alerts, service } = alerted;
  const { serviceId } = alerts;
  const policy = service && service.removedAtMs === undefined ? alertPolicy(service.spec) : undefined;
  if (service === undefined || policy === undefined) return [{ kind: 'forget', serviceId }];
  const kept = withoutForgotten(alerts, nowMs);
  if (kept.alerts.length === 0) return [{ kind: 'forget', serviceId }];
  const steps = alerts.alerts.flatMap((alert) => stepOf(alert, { ...alerted, service, policy }, left, nowMs) ?? []);
  const first = firstOf(steps.filter((step) => step.kind === 'do'));
  // One change of a service at a time: the others are looked at again when it is done.
  const chosen = first === undefined ? steps : [first];
  return chosen.length === 0 && kept !== alerts ? [{ kind: 'put', serviceId, record: kept }] : chosen;
}

/** What was begun, else a rollback: a restart is an update itself, and the alert would have begun before that. */
function firstOf(doing: readonly Extract<AlertStep, { kind: 'do' }>[]): AlertStep | undefined {
  return doing.find(({ isBegun }) => isBegun) ?? doing.find(({ deed }) => deed.action === 'rollback') ?? doing[0];
}

type Allowed = AlertedService & { readonly service: ServiceRecord; readonly policy: AlertPolicy };

function stepOf(alert: AlertState, alerted: Allowed, left: number, nowMs: number): AlertStep | undefined {
  const { action, fingerprint, startsAtMs } = alert;
  const isOfEpisode = (deed: AlertDeed) => deed.fingerprint === fingerprint && deed.startsAtMs === startsAtMs;
  const known = alerted.alerts.deeds.find(isOfEpisode);
  if (known?.outcome === 'begun') return resume(alert, known, alerted, nowMs);
  if (action !== 'restart' && action !== 'rollback') return undefined;
  if (known !== undefined || standingOf(alert, nowMs) !== 'firing' || !alerted.policy.actions.has(action))
    return undefined;
  const of = { serviceId: alerted.service.id, alert };
  const deed = { fingerprint, startsAtMs, action, atMs: nowMs, version: alerted.version };
  const refusal = action === 'rollback' ? rollbackRefusal(alert, alerted) : restartRefusal(alert, alerted);
  if (refusal !== undefined) {
    return { ...of, kind: 'note', deed: { ...deed, outcome: 'refused', reason: refusal }, reason: refusal };
  }
  const obstacle = obstacleOf(alerted, left, nowMs);
  if (obstacle !== undefined) return { ...of, kind: 'wait', reason: obstacle };
  const reason = `alert ${alert.name} fires`;
  return { ...of, kind: 'do', deed: { ...deed, outcome: 'begun', reason }, isBegun: false, reason };
}

/** A leader that wrote down what it was about to do, and then was one no more. */
function resume(alert: AlertState, begun: AlertDeed, { service, version }: Allowed, nowMs: number): AlertStep {
  const of = { serviceId: service.id, alert };
  if (version !== begun.version) {
    return { ...of, kind: 'note', deed: { ...begun, outcome: 'done' }, reason: begun.reason };
  }
  if (standingOf(alert, nowMs) !== 'over')
    return { ...of, kind: 'do', deed: begun, isBegun: true, reason: begun.reason };
  const reason = 'the alert was over before it could be done';
  return { ...of, kind: 'note', deed: { ...begun, outcome: 'refused', reason }, reason };
}

function obstacleOf({ alerts, policy, rollout }: Allowed, left: number, nowMs: number): string | undefined {
  const freezing = alerts.alerts.find((other) => other.action === 'freeze' && standingOf(other, nowMs) !== 'over');
  if (freezing !== undefined && policy.actions.has('freeze')) return `alert ${freezing.name} freezes the service`;
  if (rollout?.state === 'updating' || rollout?.state === 'rollback_started') return 'an update is under way';
  const last = Math.max(...alerts.deeds.filter(({ outcome }) => outcome !== 'refused').map(({ atMs }) => atMs));
  const waitMs = Math.min(last, nowMs) + policy.coolDownMs - nowMs;
  if (waitMs > 0) return `alerts changed it less than ${durationText(policy.coolDownMs)} ago`;
  return left > 0 ? undefined : `alerts have changed ${DEEDS_A_MINUTE} services within a minute`;
}

/** It speaks of another service, one that had this name before. */
function restartRefusal({ startsAtMs }: AlertState, { service }: Allowed): string | undefined {
  return startsAtMs < service.createdAtMs ? 'the alert began before the service was created' : undefined;
}

/** Only what an update can have caused is undone by undoing it. */
function rollbackRefusal(alert: AlertState, { service, rollout, policy }: Allowed): string | undefined {
  const { revision, change } = service;
  if (change === 'rollback') return 'the last change of the service was a rollback';
  if (rollout === undefined || rollout.revision !== revision) return 'no update of the service is known';
  const update = lastUpdate(service, rollout);
  if (update === undefined) return 'the service has no earlier revision that runs anything else';
  const afterMs = alert.startsAtMs - update.beganAtMs;
  if (afterMs < 0) return `the alert began before the update to revision ${revision}`;
  if (afterMs <= policy.rollbackWithinMs) return undefined;
  return `the alert began more than ${durationText(policy.rollbackWithinMs)} after the update to revision ${revision}`;
}
