/** Has unhealthy containers replaced within the service's budget, so that one bad probe never takes all replicas down. */
import { type Budget, isUnhealthy } from './budget.ts';
import type { Slot } from './slot.ts';

/** Asks for the replacement of as many unhealthy containers of a service as may be missing, those that waited longest first. */
export function replaceUnhealthy(slots: readonly Slot[], budget: Budget): void {
  const unhealthy = slots.flatMap((slot) =>
    slot.live.filter((task) => !task.lost && isUnhealthy(task)).map((task) => ({ slot, task })),
  );
  unhealthy.sort(
    (a, b) => a.task.record.replaceAttempt - b.task.record.replaceAttempt || a.slot.number - b.slot.number,
  );
  for (const { slot, task } of unhealthy) {
    if (!budget.takeUnhealthy()) return;
    slot.changeTask(task, { replaceAttempt: task.status?.attempt ?? 0 }, 'its health check fails');
  }
}
