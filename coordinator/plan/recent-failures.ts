/** Nodes on which a service fails: they come last for its next tasks (swarmkit manager/scheduler: 5 failures in 5 minutes). */
import type { SlotRecord } from '../../model/slot-record.ts';
import type { Moment } from './actions.ts';
import { FAILURES_TO_AVOID_NODE } from './placement.ts';
import type { SlotTask } from './slot.ts';

const WINDOW_MS = 5 * 60_000;

interface End {
  readonly state: string;
  readonly finishedAtMs: number;
}

/** What ended lately in slots of a service. */
interface Past {
  readonly tasks: readonly Pick<SlotTask, 'record' | 'node' | 'status'>[];
  readonly current: Pick<SlotRecord, 'history'>;
}

/** The nodes with at least five failures of the service's revision within the last five minutes. */
export function nodesFailing(slots: readonly Past[], revision: number, now: Moment): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const note = (nodeId: string, ends: readonly End[]) => {
    const failures = ends.filter((end) => isFailure(end) && end.finishedAtMs > now.wallMs - WINDOW_MS).length;
    if (failures > 0) counts.set(nodeId, (counts.get(nodeId) ?? 0) + failures);
  };
  for (const slot of slots) {
    for (const task of slot.tasks) {
      if (task.record.revision === revision) note(task.node.id, task.status?.exits ?? []);
    }
    for (const entry of slot.current.history) if (entry.revision === revision) note(entry.nodeId, [entry]);
  }
  return new Set([...counts].filter(([, count]) => count >= FAILURES_TO_AVOID_NODE).map(([nodeId]) => nodeId));
}

function isFailure({ state }: End): boolean {
  return state === 'failed' || state === 'rejected';
}
