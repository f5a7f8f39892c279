/** Nodes as metrics: how they are, what they offer, what is reserved on them. */
import { isRunning, type NodeView, type TaskState } from './cluster-view.ts';
import { type GaugeFamily, gaugeFamily } from './gauge-family.ts';

/** Hostnames may repeat; the id keeps such nodes apart. */
const identity = ['node', 'node_id'] as const;

const nodeStates = ['ready', 'suspect', 'lost', 'engine-unresponsive', 'unknown'] as const;
const availabilities = ['active', 'pause', 'drain'] as const;

export const nodeFamilies: readonly GaugeFamily[] = [
  gaugeFamily({
    name: 'plimsoll_node_info',
    help: 'Always 1; what a node is.',
    labelNames: [...identity, 'address', 'role', 'agent_version', 'engine_version', 'os', 'architecture'],
    samples: ({ nodes }) => nodes.map((node) => ({ labels: describe(node), value: 1 })),
  }),
  gaugeFamily({
    name: 'plimsoll_node_state',
    help: '1 for the state a node is in, 0 for the others.',
    labelNames: [...identity, 'state'],
    samples: ({ nodes }) => nodes.flatMap((node) => oneHot(node, 'state', nodeStates, node.state)),
  }),
  gaugeFamily({
    name: 'plimsoll_node_availability',
    help: '1 for what the operator allows on a node, 0 for the others.',
    labelNames: [...identity, 'availability'],
    samples: ({ nodes }) =>
      nodes.flatMap((node) => oneHot(node, 'availability', availabilities, node.spec?.availability ?? 'active')),
  }),
  perNode('plimsoll_node_tasks_running', 'Tasks that run on a node.', ({ tasks }) => tasks.filter(isRunning).length),
  perNode('plimsoll_node_cpu_cores', 'CPU cores of a node.', ({ record }) => cores(record?.resources.nanoCpus)),
  perNode('plimsoll_node_memory_bytes', 'Memory of a node.', ({ record }) => record?.resources.memoryBytes),
  perNode('plimsoll_node_reserved_cpu_cores', 'CPU cores reserved by the tasks of a node.', ({ tasks }) => {
    return cores(sumOf(tasks, ({ task }) => task.template.Resources?.Reservations?.NanoCPUs));
  }),
  perNode('plimsoll_node_reserved_memory_bytes', 'Memory reserved by the tasks of a node.', ({ tasks }) => {
    return sumOf(tasks, ({ task }) => task.template.Resources?.Reservations?.MemoryBytes);
  }),
];

/** A node whose agent was never heard has no such series. */
function perNode(name: string, help: string, valueOf: (node: NodeView) => number | undefined): GaugeFamily {
  return gaugeFamily({
    name,
    help,
    labelNames: identity,
    samples: ({ nodes }) =>
      nodes.flatMap((node) => {
        const value = valueOf(node);
        return value === undefined ? [] : [{ labels: identify(node), value }];
      }),
  });
}

function identify({ name, id }: NodeView): Record<(typeof identity)[number], string> {
  return { node: name, node_id: id };
}

function describe(node: NodeView) {
  const { record, spec } = node;
  return {
    ...identify(node),
    address: record?.address ?? '',
    role: spec?.role ?? 'worker',
    agent_version: record?.agentVersion ?? '',
    engine_version: record?.engine.version ?? '',
    os: record?.engine.os ?? '',
    architecture: record?.engine.architecture ?? '',
  };
}

function oneHot<L extends string>(node: NodeView, label: L, values: readonly string[], current: string) {
  return values.map((value) => ({
    labels: { ...identify(node), [label]: value } as Record<(typeof identity)[number] | L, string>,
    value: value === current ? 1 : 0,
  }));
}

/** Tasks that are to stop free their room: the planner counts the same way. */
function sumOf(tasks: readonly TaskState[], amountOf: (state: TaskState) => number | undefined): number {
  return tasks.filter(({ task }) => task.desired !== 'stopped').reduce((sum, state) => sum + (amountOf(state) ?? 0), 0);
}

function cores(nanoCpus: number | undefined): number | undefined {
  return nanoCpus === undefined ? undefined : nanoCpus / 1e9;
}
