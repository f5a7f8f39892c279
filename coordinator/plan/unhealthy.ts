/** Has unhealthy containers replaced one at a time per service, so that one bad probe never takes all replicas down. */
import type { StatusRecord } from '../../model/records.ts';
import type { Slot, SlotTask } from './slot.ts';

/** Asks for the replacement of at most one unhealthy container of a service, unless one is being replaced. */
export function replaceOneUnhealthy(slots: readonly Slot[]): void {
  const tasks = slots.flatMap((slot) => slot.live.filter((task) => !task.lost).map((task) => ({ slot, task })));
  if (tasks.some(({ task }) => isBeingReplaced(task))) return;
  const [next] = tasks
    .filter(({ task }) => isUnhealthy(task))
    .sort((a, b) => a.task.record.replaceAttempt - b.task.record.replaceAttempt || a.slot.number - b.slot.number);
  const attempt = next?.task.status?.attempt;
  if (next && attempt !== undefined) {
    next.slot.changeTask(next.task, { replaceAttempt: attempt }, 'its health check fails');
  }
}

function isUnhealthy({ status, record }: SlotTask): boolean {
  return record.desired === 'running' && status !== undefined && isUp(status) && status.health === 'unhealthy';
}

/** Told to go and still there, or its successor has not shown yet whether it is healthy. */
function isBeingReplaced({ status, record }: SlotTask): boolean {
  if (record.replaceAttempt === 0 || !status) return false;
  if (status.attempt <= record.replaceAttempt) return true;
  const isSuccessor = status.attempt === record.replaceAttempt + 1;
  return isSuccessor && !hasEnded(status) && !status.ready && status.health !== 'unhealthy';
}

/** A container that never became healthy is still `starting`. */
function isUp({ state }: StatusRecord): boolean {
  return state === 'starting' || state === 'running';
}

function hasEnded({ state }: StatusRecord): boolean {
  return state === 'complete' || state === 'shutdown' || state === 'failed' || state === 'rejected';
}
