/** "Would I survive?": the plan for the loss of a node that has not happened. Pure. */
import type { Snapshot } from '../store/snapshot.ts';
import { actionsOf, type Moment } from './actions.ts';
import type { Planner } from './plan.ts';

/** As if it had been away for so long that every failover policy has given it up. */
const LONG_AGO_MS = 86_400_000;

/** A task of the lost node for which no other has a place. */
export interface Homeless {
  readonly serviceId: string;
  readonly slot: number;
  readonly reason: string;
}

/** The tasks that would find no place if the node were lost now. What waits for a place already is not among them. */
export function homelessWithout(nodeId: string, snapshot: Snapshot, now: Moment, plan: Planner): Homeless[] {
  const sinceMs = now.elapsedMs - LONG_AGO_MS;
  const known = snapshot.liveness.get(nodeId);
  const lost = { ...known, state: 'lost', sinceMs, lastContactMs: sinceMs, message: 'imagined to be lost' } as const;
  const liveness = new Map(snapshot.liveness).set(nodeId, lost);
  return actionsOf(plan({ ...snapshot, liveness }, now)).flatMap((action) => {
    if (action.kind !== 'put-slot' || action.record.pending === undefined) return [];
    if (snapshot.slots.get(action.key)?.value.pending !== undefined) return [];
    const { serviceId, slot, pending } = action.record;
    return [{ serviceId, slot, reason: pending.reason }];
  });
}
