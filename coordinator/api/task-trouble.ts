/** What is wrong with a task that has not failed: in the ERROR column of `docker service ps` and in `plim why`. Pure. */
import { durationText } from '../../model/duration.ts';
import { PROGRESS_DEADLINE_LABEL, progressDeadlineMs } from '../../model/service-policy.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { nodeName } from '../store/node-names.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** Undefined when nothing is wrong, or its attempt has ended and says itself why. */
export function taskTrouble(snapshot: Snapshot, task: TaskRecord): string | undefined {
  return nodeTrouble(snapshot, task.nodeId) ?? probeTrouble(snapshot, task) ?? updateTrouble(snapshot, task);
}

function nodeTrouble(snapshot: Snapshot, nodeId: string): string | undefined {
  const state = snapshot.liveness.get(nodeId)?.state;
  if (state === 'lost') return `its node ${nodeName(snapshot, nodeId)} is lost`;
  if (state !== 'engine-unresponsive') return undefined;
  return `the Docker Engine of its node ${nodeName(snapshot, nodeId)} does not answer`;
}

function probeTrouble(snapshot: Snapshot, { id }: TaskRecord): string | undefined {
  const because = snapshot.statuses.get(id)?.value.unreadyBecause;
  return because === undefined ? undefined : `not ready: ${because}`;
}

/** The task an update waited for in vain: it neither fails nor becomes ready. */
function updateTrouble(snapshot: Snapshot, { id, serviceId, serviceLabels }: TaskRecord): string | undefined {
  const slots = Object.values(snapshot.rollouts.get(serviceId)?.value.slots ?? {});
  const isOverdue = slots.some(({ taskId, overdue, readyAtMs }) => taskId === id && overdue && readyAtMs === undefined);
  if (!isOverdue) return undefined;
  // As the service says it now: the task may be older than the deadline.
  const labels = snapshot.services.get(serviceId)?.value.spec.Labels ?? serviceLabels;
  return `not ready after ${durationText(progressDeadlineMs(labels))} (${PROGRESS_DEADLINE_LABEL})`;
}
