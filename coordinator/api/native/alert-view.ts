/** Alerts that ask something of services, as people are told of them. Pure. */
import type { AlertState } from '../../../model/alert-record.ts';
import type { AlertView } from '../../../model/alert-view.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { alertedServices } from '../../alerts/alert-loop.ts';
import { standingOf } from '../../alerts/alert-state.ts';
import { type AlertStep, planAlerts } from '../../alerts/plan-alerts.ts';
import { liveServicesByName } from '../../store/live-services.ts';
import type { Snapshot } from '../../store/snapshot.ts';

/** All of them, by service. */
export function alertViews(snapshot: Snapshot, nowMs: number): AlertView[] {
  const steps = planAlerts(alertedServices(snapshot), nowMs);
  return liveServicesByName(snapshot).flatMap((service) => viewsOf(snapshot, service, steps, nowMs));
}

/** What `plim why` says of a service's alerts: those that fire, and what others led to. */
export function alertFacts(snapshot: Snapshot, service: ServiceRecord, nowMs: number): string[] {
  const views = viewsOf(snapshot, service, planAlerts(alertedServices(snapshot), nowMs), nowMs);
  const telling = views.filter(({ state, words }) => state !== 'over' || words !== '');
  return telling.map(({ name, action, state, startsAtMs, words }) => {
    const since = new Date(startsAtMs).toISOString();
    return [`alert ${name} (${action}) is ${state}, began ${since}`, words].filter((word) => word !== '').join('; ');
  });
}

function viewsOf(
  snapshot: Snapshot,
  { id, spec }: ServiceRecord,
  steps: readonly AlertStep[],
  nowMs: number,
): AlertView[] {
  const record = snapshot.alerts.get(id)?.value;
  if (record === undefined) return [];
  return record.alerts.map((alert) => {
    const { name, fingerprint, action, startsAtMs, heardAtMs } = alert;
    const deed = record.deeds.findLast((each) => each.fingerprint === fingerprint && each.startsAtMs === startsAtMs);
    const words = deed ? `${deed.action} ${deed.outcome}: ${deed.reason}` : wordsOf(alert, id, steps);
    const state = standingOf(alert, nowMs);
    return { service: spec.Name, name, fingerprint, action, state, startsAtMs, heardAtMs, words };
  });
}

function wordsOf({ fingerprint, replicas }: AlertState, serviceId: string, steps: readonly AlertStep[]): string {
  const step = steps.find(
    (each) => 'alert' in each && each.serviceId === serviceId && each.alert.fingerprint === fingerprint,
  );
  if (step?.kind === 'wait') return `waits: ${step.reason}`;
  return replicas === undefined ? '' : `asks for ${replicas}`;
}
