/** How placement sees the nodes, as `/v1/why` shows it. Pure. */
import { isJob } from '../../../model/jobs.ts';
import type { PlacementTable } from '../../../model/placement-table.ts';
import { isGlobal } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { SlotRecord } from '../../../model/slot-record.ts';
import type { Moment } from '../../plan/actions.ts';
import { explainPlacement } from '../../plan/explain-placement.ts';
import { orderOf } from '../../plan/verdicts.ts';
import type { Snapshot } from '../../store/snapshot.ts';

/** For one more replica; undefined for a service that is not scaled: its tasks belong to nodes, or are given by number. */
export function nextPlacement(snapshot: Snapshot, service: ServiceRecord, now: Moment): PlacementTable | undefined {
  if (isGlobal(service.spec) || isJob(service.spec)) return undefined;
  const question = `where one more task of ${service.spec.Name} would go now`;
  return { question, order: orderOf(service), nodes: explainPlacement(snapshot, service, now) };
}

/** For a slot that waits: of all nodes, or of the one it is bound to. */
export function pendingPlacement(
  snapshot: Snapshot,
  { serviceId, pending, nodeId, dataOn }: SlotRecord,
  now: Moment,
): PlacementTable | undefined {
  const service = snapshot.services.get(serviceId)?.value;
  if (!service) return undefined;
  const waitsForData = pending?.code === 'volume';
  const bound = nodeId ?? (waitsForData ? dataOn?.nodeId : undefined);
  if (waitsForData && bound === undefined) return undefined;
  const all = explainPlacement(snapshot, service, now);
  return {
    question: bound === undefined ? 'what each node says to it now' : 'what the only node it may run on says to it now',
    order: orderOf(service),
    nodes: bound === undefined ? all : all.filter((verdict) => verdict.nodeId === bound),
  };
}
