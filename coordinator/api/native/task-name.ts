/** What people call a task. Pure. */
import type { TaskRecord } from '../../../model/task-record.ts';
import type { Snapshot } from '../../store/snapshot.ts';

/** `web.1`; the slot of a global service is the node. */
export function taskName(
  snapshot: Snapshot,
  task: Pick<TaskRecord, 'serviceId' | 'slot'>,
  nodeId: string | undefined,
): string {
  const service = snapshot.services.get(task.serviceId)?.value.spec.Name ?? task.serviceId;
  return `${service}.${task.slot === 0 ? (nodeId ?? 0) : task.slot}`;
}
