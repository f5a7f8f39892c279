/** Services that scale themselves, as people are told of them. Pure. */
import type { AutoscaleView } from '../../../model/autoscale-view.ts';
import { effectiveReplicas, type ScaleRecord } from '../../../model/scale-record.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { AUTOSCALE_AREA, autoscalePolicy } from '../../autoscale/policy.ts';
import { liveServicesByName } from '../../store/live-services.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { serviceSummary } from './status-view.ts';

/** All of them, by name. */
export function autoscaleViews(snapshot: Snapshot): AutoscaleView[] {
  const views = liveServicesByName(snapshot).flatMap((service) => autoscaleView(snapshot, service) ?? []);
  return views.sort((left, right) => left.name.localeCompare(right.name, 'en', { numeric: true }));
}

/** Undefined for a service that does not scale itself. */
export function autoscaleView(snapshot: Snapshot, { id, spec }: ServiceRecord): AutoscaleView | undefined {
  const policy = autoscalePolicy(spec);
  if (policy === undefined) return undefined;
  const scale = snapshot.scales.get(id)?.value;
  const service = snapshot.services.get(id)?.value;
  return {
    id,
    name: spec.Name,
    mode: policy.mode,
    min: policy.min,
    max: policy.max,
    replicas: effectiveReplicas(spec, scale),
    ready: service ? serviceSummary(snapshot, service).ready : 0,
    condition: scale?.condition ?? 'undecided',
    reason: scale?.reason ?? 'nothing has been decided yet',
    readings: scale?.readings ?? [],
    options: optionsOf(spec.Labels ?? {}),
    ...(scale && { decided: scale.replicas, decidedAtMs: scale.decidedAtMs }),
    ...(scale?.heldUntilMs !== undefined && { heldUntilMs: scale.heldUntilMs }),
  };
}

/** What `plim why` says of a service's count. */
export function scaleFacts({ spec }: ServiceRecord, scale: ScaleRecord | undefined): string[] {
  if (scale === undefined) return [];
  if (scale.mode === 'advise') return [`would scale itself to ${scale.replicas}: ${scale.reason}`];
  const replicas = effectiveReplicas(spec, scale);
  const isOverruled = scale.specReplicas !== undefined && replicas !== scale.replicas;
  return [isOverruled ? `scaled to ${replicas} by hand just now` : `scaled to ${scale.replicas}: ${scale.reason}`];
}

function optionsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(labels).filter(([label]) => label.startsWith(AUTOSCALE_AREA));
  return Object.fromEntries(own.map(([label, value]) => [label.slice(AUTOSCALE_AREA.length), value]));
}
