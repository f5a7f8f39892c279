/** ServiceStatus: how many tasks of a service run and how many should. Pure. */
import { isJob } from '../../../model/jobs.ts';
import { effectiveReplicas } from '../../../model/scale-record.ts';
import { isGlobal } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { nodeState } from './node-state.ts';
import { serviceTasks, type TaskView } from './task-view.ts';

export interface ServiceStatus {
  readonly RunningTasks: number;
  readonly DesiredTasks: number;
  readonly CompletedTasks: number;
}

export function serviceStatus(snapshot: Snapshot, record: ServiceRecord): ServiceStatus {
  if (isJob(record.spec)) return jobCounts(serviceTasks(snapshot, record));
  const wanted = serviceTasks(snapshot, record).filter((task) => task.DesiredState === 'running');
  const isUp = (task: TaskView) => task.NodeID !== undefined && nodeState(snapshot, task.NodeID) !== 'down';
  const running = wanted.filter((task) => task.Status.State === 'running' && isUp(task));
  const replicas = effectiveReplicas(record.spec, snapshot.scales.get(record.id)?.value);
  // As in Swarm, a node that is down wants no task of a global service.
  const nodes = new Set(wanted.filter(isUp).map((task) => task.NodeID));
  const DesiredTasks = isGlobal(record.spec) ? nodes.size : replicas;
  return { RunningTasks: running.length, DesiredTasks, CompletedTasks: 0 };
}

/** Of a job, what is begun and not complete is desired; the client adds the total. */
function jobCounts(tasks: readonly TaskView[]): ServiceStatus {
  const [complete, open] = [true, false].map((isComplete) =>
    tasks.filter((task) => task.DesiredState === 'complete' && (task.Status.State === 'complete') === isComplete),
  );
  const running = open?.filter((task) => task.Status.State === 'running') ?? [];
  return { RunningTasks: running.length, DesiredTasks: open?.length ?? 0, CompletedTasks: complete?.length ?? 0 };
}
