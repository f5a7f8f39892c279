/** Cut off from the coordinator, the agent itself replaces unhealthy tasks: at most one per service at a time. */
import type { SupervisedTask } from '../supervised-task.ts';
import type { ObservedContainer } from './observed-container.ts';

export interface HealthView {
  readonly taskId: string;
  readonly serviceId: string;
  readonly health: ObservedContainer['health'];
  readonly ready: boolean;
  /** This agent replaced it and it has not become ready since. */
  readonly beingReplaced: boolean;
}

export function healthView({ record, memory, containers }: SupervisedTask): HealthView {
  const container = containers.find(({ attempt }) => attempt === memory?.attempt);
  const wasReplaced = memory?.exits.at(-1)?.error.includes('unhealthy container') ?? false;
  return {
    taskId: record.id,
    serviceId: record.serviceId,
    health: container?.health ?? 'none',
    ready: container?.phase === 'running' && (memory?.wasReady ?? false),
    beingReplaced: wasReplaced || memory?.replaceReason !== undefined,
  };
}

/** The tasks to replace now. `cutOffForMs` is undefined while the bus is connected. */
export function planUnhealthyReplacements(
  tasks: readonly HealthView[],
  cutOffForMs: number | undefined,
  afterMs: number,
): string[] {
  if (cutOffForMs === undefined || cutOffForMs < afterMs) return [];
  const busy = new Set(tasks.filter((task) => task.beingReplaced && !task.ready).map((task) => task.serviceId));
  const chosen: string[] = [];
  for (const task of tasks) {
    if (task.health !== 'unhealthy' || busy.has(task.serviceId)) continue;
    busy.add(task.serviceId);
    chosen.push(task.taskId);
  }
  return chosen;
}
