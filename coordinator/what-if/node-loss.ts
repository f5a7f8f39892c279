/** What the loss of a node would mean, for people: the leader's own planner on a cluster without it. Pure. */
import type { NodeLoss } from '../../model/node-loss.ts';
import type { Moment } from '../plan/actions.ts';
import { homelessWithout } from '../plan/node-loss.ts';
import { plan } from '../plan/plan.ts';
import type { Snapshot } from '../store/snapshot.ts';

export function imagineLoss(snapshot: Snapshot, node: NodeLoss['node'], now: Moment): NodeLoss {
  const homeless = homelessWithout(node.id, snapshot, now, plan).map(({ serviceId, slot, reason }) => ({
    service: snapshot.services.get(serviceId)?.value.spec.Name ?? serviceId,
    slot,
    reason,
  }));
  homeless.sort((a, b) => a.service.localeCompare(b.service) || a.slot - b.slot);
  return { node, tasks: movableTasks(snapshot, node.id), homeless };
}

/** Tasks of global services have slot 0; what has completed runs nowhere again. */
function movableTasks({ tasks, statuses }: Snapshot, nodeId: string): number {
  return [...tasks.values()].filter(
    ({ value: { id, nodeId: at, desired, slot } }) =>
      at === nodeId && desired !== 'stopped' && slot > 0 && statuses.get(id)?.value.state !== 'complete',
  ).length;
}
