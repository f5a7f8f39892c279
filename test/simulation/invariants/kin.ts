/** Which hosts do not take a service because of other services it wants to be near to or apart from, or that shun it. */
import { AFFINITY_LABEL, ANTI_AFFINITY_LABEL, kinTerms } from '../../../coordinator/plan/affinity.ts';
import { stickyVolumes } from '../../../coordinator/plan/sticky-volumes.ts';
import { isJob } from '../../../model/jobs.ts';
import { isGlobal } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { GroundTruth } from './ground-truth.ts';

type Label = typeof AFFINITY_LABEL | typeof ANTI_AFFINITY_LABEL;

/** Simulated services name one other service, if any. */
function kinOf({ spec }: ServiceRecord, label: Label): string | undefined {
  return kinTerms(spec.Labels?.[label])[0];
}

/** Whether one of the two wants to be where the other is not. */
export function keepApart(one: ServiceRecord, other: ServiceRecord): boolean {
  return kinOf(one, ANTI_AFFINITY_LABEL) === other.spec.Name || kinOf(other, ANTI_AFFINITY_LABEL) === one.spec.Name;
}

/** How many of its tasks must have found a place, on the nodes with these ids. */
export function fewestPlaced(service: ServiceRecord, truth: GroundTruth, nodeIds: readonly string[]): number {
  const replicas = truth.replicasOf(service);
  const refusing = nodeIds.filter((nodeId) => mayRefuse(nodeId, service, truth)).length;
  if (refusing === 0) return replicas;
  if (isGlobal(service.spec)) return nodeIds.length - refusing;
  // Its data lies on some of these nodes.
  const isBound = stickyVolumes(service.spec.TaskTemplate).length > 0;
  return isBound || refusing === nodeIds.length ? 0 : replicas;
}

/** Where a job is meant nobody looks when it ran where. */
function mayRefuse(nodeId: string, service: ServiceRecord, truth: GroundTruth): boolean {
  const others = truth.services().filter(({ id, removedAtMs }) => id !== service.id && removedAtMs === undefined);
  const isOn = (other: ServiceRecord) =>
    truth.tasks().some((task) => task.serviceId === other.id && task.nodeId === nodeId);
  const near = kinOf(service, AFFINITY_LABEL);
  const isAlone =
    near !== undefined && !others.some((other) => other.spec.Name === near && !isJob(other.spec) && isOn(other));
  return isAlone || others.some((other) => keepApart(service, other) && (isJob(other.spec) || isOn(other)));
}
