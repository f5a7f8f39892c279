/** The leader's thinking: from everything known at one moment to the writes that bring the cluster closer to its wishes. */
import type { Snapshot } from '../store/snapshot.ts';
import type { Moment, Plan } from './actions.ts';
import { type NodeOrphan, RepeatedPlanner } from './planner.ts';

/** What the leader thinks with; tests break it on purpose. */
export type Planner = (snapshot: Snapshot, now: Moment, orphans?: readonly NodeOrphan[]) => Plan;

/**
 * What to do now. Pure and deterministic: the same snapshot and moment give the same plan, and a cluster that is as it
 * should be gives an empty one. Nothing is ever stopped because a record is missing: a task whose service is not known is
 * left alone, a service goes only by its explicit mark.
 */
export function plan(snapshot: Snapshot, now: Moment, orphans: readonly NodeOrphan[] = []): Plan {
  return new RepeatedPlanner().plan(snapshot, now, orphans);
}

/** The same for who plans again and again: it remembers what the last snapshot was, and looks at what differs. */
export function planningAgain(): Planner {
  const planner = new RepeatedPlanner();
  return (snapshot, now, orphans) => planner.plan(snapshot, now, orphans);
}
