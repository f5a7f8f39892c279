/** Tasks as metrics: some fifteen series each, and none at all in a cluster too large for that. */
import { attemptStates } from '../../model/status-record.ts';
import { labelText } from '../../runtime/label-text.ts';
import type { ClusterView, TaskState } from './cluster-view.ts';
import { oneHot, type StateFamily, type StateSample } from './state-family.ts';

/** Above this many tasks Prometheus would carry more than it gains; services and nodes still tell the whole. */
export const MAX_TASKS_WITH_SERIES = 5_000;

/** `new`: its agent has not reported it yet. */
const taskStates = ['new', ...attemptStates] as const;

export const taskFamilies: readonly StateFamily[] = [
  perTask('gauge', 'plimsoll_task_info', 'Always 1; where a task is and what it runs.', (state, view) => {
    return [{ labels: describe(state, view), value: 1 }];
  }),
  perTask('gauge', 'plimsoll_task_created_timestamp_seconds', 'When the task was assigned.', ({ task, labels }) => {
    return [{ labels, value: task.createdAtMs / 1000 }];
  }),
  perTask('gauge', 'plimsoll_task_start_time_seconds', 'When the container started.', ({ status, labels }) => {
    return status?.startedAtMs === undefined ? [] : [{ labels, value: status.startedAtMs / 1000 }];
  }),
  perTask('gauge', 'plimsoll_task_status_state', '1 for the state a task is in, 0 for the others.', (state) => {
    return oneHot(state.labels, 'state', taskStates, state.status?.state ?? 'new');
  }),
  perTask(
    'gauge',
    'plimsoll_task_status_ready',
    '1 when a task runs and is healthy where there is a health check.',
    ({ status, labels }) => [{ labels, value: status?.ready ? 1 : 0 }],
  ),
  perTask('counter', 'plimsoll_task_restarts_total', 'Times the agent started this task anew.', ({ status, labels }) =>
    status ? [{ labels, value: status.restarts }] : [],
  ),
  perTask(
    'counter',
    'plimsoll_task_oom_kills_total',
    'Times this task was killed for lack of memory.',
    ({ status, labels }) => (status ? [{ labels, value: status.oomKills }] : []),
  ),
  perTask(
    'gauge',
    'plimsoll_task_last_terminated_exitcode',
    'Exit code of the last attempt that ended.',
    ({ status, labels }) => status?.exits.slice(-1).map((exit) => ({ labels, value: exit.exitCode })) ?? [],
  ),
  perTask('gauge', 'plimsoll_task_resource_requests', 'What a task reserves, by resource.', ({ task, labels }) => {
    return amounts(labels, task.template.Resources?.Reservations);
  }),
  perTask('gauge', 'plimsoll_task_resource_limits', 'What a task may use at most, by resource.', ({ task, labels }) => {
    return amounts(labels, task.template.Resources?.Limits);
  }),
];

function perTask(
  type: StateFamily['type'],
  name: string,
  help: string,
  samplesOf: (state: TaskState, view: ClusterView) => StateSample[],
): StateFamily {
  return {
    name,
    type,
    help: `${help} Not served above ${MAX_TASKS_WITH_SERIES} tasks.`,
    *samples(view) {
      if (view.tasks.length > MAX_TASKS_WITH_SERIES) return;
      for (const state of view.tasks) yield* samplesOf(state, view);
    },
  };
}

function describe({ task, status, labels }: TaskState, { nodeNames }: ClusterView): string {
  const words = labelText({
    slot: String(task.slot),
    node: nodeNames.get(task.nodeId) ?? task.nodeId,
    node_id: task.nodeId,
    image: task.template.ContainerSpec.Image,
    revision: String(task.revision),
    container_id: status?.containerId ?? '',
  });
  return `${labels},${words}`;
}

/** Nothing for what the user left open. */
function amounts(labels: string, wanted: { NanoCPUs?: number; MemoryBytes?: number } | undefined): StateSample[] {
  const cpu = wanted?.NanoCPUs
    ? [{ labels: `${labels},resource="cpu",unit="core"`, value: wanted.NanoCPUs / 1e9 }]
    : [];
  const memory = wanted?.MemoryBytes
    ? [{ labels: `${labels},resource="memory",unit="byte"`, value: wanted.MemoryBytes }]
    : [];
  return [...cpu, ...memory];
}
