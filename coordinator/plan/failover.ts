/** When a task on a lost node is given up, so that another may run in its place. Pure. */

import { failoverPolicy } from '../../model/service-policy.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { PlanNode } from './nodes.ts';

/**
 * How long the plan still has to wait before it may take a task on this node for gone; 0 when it may now, undefined when
 * time will not help. What the task was told when it was made counts: its agent knows no more.
 */
export function untilGivenUpMs({ serviceLabels }: TaskRecord, node: PlanNode): number | undefined {
  if (!node.lost) return undefined;
  const { onDisconnect, afterMs } = failoverPolicy(serviceLabels);
  if (onDisconnect === 'keep') return Math.max(0, afterMs - (node.lostForMs ?? 0));
  // An engine that hangs: its agent is there and hears the leader, but can stop nothing.
  if (node.silentForMs === undefined) return undefined;
  // The agent stops it `after` its last contact; as long again is left for its end.
  return Math.max(0, 2 * afterMs - node.silentForMs);
}
