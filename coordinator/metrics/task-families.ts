/** Tasks as metrics: one series per task and family, and none at all in a cluster too large for that. */
import type { ClusterView, NodeView, ServiceState, TaskState } from './cluster-view.ts';
import { type GaugeFamily, gaugeFamily } from './gauge-family.ts';
import { identify } from './service-families.ts';

/** Above this many tasks Prometheus would carry more than it gains; services and nodes still tell the whole. */
export const MAX_TASKS_WITH_SERIES = 5_000;

const identity = ['service', 'stack', 'task', 'slot', 'node'] as const;
type TaskLabels = Record<(typeof identity)[number], string>;

export const taskFamilies: readonly GaugeFamily[] = [
  gaugeFamily({
    name: 'plimsoll_task_state',
    help: 'Always 1; the state a task is in. Not served above 5000 tasks.',
    labelNames: [...identity, 'state'],
    samples: (view) =>
      perTask(view, ({ status }, labels) => [{ labels: { ...labels, state: status?.state ?? 'new' }, value: 1 }]),
  }),
  gaugeFamily({
    name: 'plimsoll_task_ready',
    help: '1 when a task runs and is healthy where there is a health check, else 0. Not served above 5000 tasks.',
    labelNames: identity,
    samples: (view) => perTask(view, ({ status }, labels) => [{ labels, value: status?.ready ? 1 : 0 }]),
  }),
  gaugeFamily({
    name: 'plimsoll_task_restarts',
    help: 'Times the agent restarted this task so far. Not served above 5000 tasks.',
    labelNames: identity,
    samples: (view) => perTask(view, ({ status }, labels) => (status ? [{ labels, value: status.restarts }] : [])),
  }),
  gaugeFamily({
    name: 'plimsoll_task_out_of_memory_kills',
    help: 'Times this task was killed for lack of memory so far. Not served above 5000 tasks.',
    labelNames: identity,
    samples: (view) => perTask(view, ({ status }, labels) => (status ? [{ labels, value: status.oomKills }] : [])),
  }),
];

function perTask<T>(view: ClusterView, samplesOf: (state: TaskState, labels: TaskLabels) => T[]): T[] {
  if (view.taskCount > MAX_TASKS_WITH_SERIES) return [];
  return view.services.flatMap((service) =>
    service.tasks.flatMap((state) => samplesOf(state, identifyTask(service, state, view.nodeNames))),
  );
}

function identifyTask(
  service: ServiceState,
  { task }: TaskState,
  nodeNames: ReadonlyMap<NodeView['id'], string>,
): TaskLabels {
  const node = nodeNames.get(task.nodeId) ?? task.nodeId;
  return { ...identify(service), task: task.id, slot: String(task.slot), node };
}
