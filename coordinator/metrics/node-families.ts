/** Nodes as metrics: how they are, what they offer, what is reserved on them. */

import { labelText } from '../../runtime/label-text.ts';
import { isRunning, type NodeView, type TaskState } from './cluster-view.ts';
import { oneHot, type StateFamily, type StateSample } from './state-family.ts';

const nodeStates = ['ready', 'suspect', 'lost', 'engine-unresponsive', 'unknown'] as const;
const availabilities = ['active', 'pause', 'drain'] as const;
const conditionStatuses = ['true', 'false', 'unknown'] as const;

export const nodeFamilies: readonly StateFamily[] = [
  {
    name: 'plimsoll_node_info',
    type: 'gauge',
    help: 'Always 1; what a node is.',
    samples: ({ nodes }) => nodes.map((node) => ({ labels: describe(node), value: 1 })),
  },
  perNode('plimsoll_node_created_timestamp_seconds', 'When the node was let in.', ({ spec }) => {
    return spec && spec.createdAtMs / 1000;
  }),
  manyPerNode(
    'plimsoll_node_spec_availability',
    '1 for what the operator allows on a node, 0 for the others.',
    (node) => oneHot(node.labels, 'availability', availabilities, node.spec?.availability ?? 'active'),
  ),
  manyPerNode('plimsoll_node_status_state', '1 for the state a node is in, 0 for the others.', (node) =>
    oneHot(node.labels, 'state', nodeStates, node.state),
  ),
  manyPerNode(
    'plimsoll_node_status_condition',
    'Conditions of a node: 1 for the status each has, 0 for the others. Ready: it is heard of and its engine answers.',
    (node) => oneHot(`${node.labels},condition="Ready"`, 'status', conditionStatuses, readiness(node)),
  ),
  manyPerNode('plimsoll_node_status_capacity', 'What a node has, by resource.', ({ labels, record }) =>
    amounts(labels, record?.resources.nanoCpus, record?.resources.memoryBytes),
  ),
  manyPerNode(
    'plimsoll_node_status_allocatable',
    'What tasks may reserve on a node in all, by resource: nothing while it takes no new tasks.',
    (node) => {
      const share = node.state === 'ready' && (node.spec?.availability ?? 'active') === 'active' ? 1 : 0;
      const resources = node.record?.resources;
      return resources ? amounts(node.labels, share * resources.nanoCpus, share * resources.memoryBytes) : [];
    },
  ),
  manyPerNode('plimsoll_node_status_reserved', 'What the tasks of a node have reserved, by resource.', (node) =>
    amounts(
      node.labels,
      sumOf(node.tasks, ({ task }) => task.template.Resources?.Reservations?.NanoCPUs),
      sumOf(node.tasks, ({ task }) => task.template.Resources?.Reservations?.MemoryBytes),
    ),
  ),
  perNode('plimsoll_node_status_tasks_running', 'Tasks that run on a node.', ({ tasks }) => {
    return tasks.filter(isRunning).length;
  }),
];

function manyPerNode(name: string, help: string, samplesOf: (node: NodeView) => StateSample[]): StateFamily {
  return { name, type: 'gauge', help, samples: ({ nodes }) => nodes.flatMap(samplesOf) };
}

function perNode(name: string, help: string, valueOf: (node: NodeView) => number | undefined): StateFamily {
  return manyPerNode(name, help, (node) => {
    const value = valueOf(node);
    return value === undefined ? [] : [{ labels: node.labels, value }];
  });
}

function describe(node: NodeView): string {
  const { record, spec } = node;
  const words = labelText({
    address: record?.address ?? '',
    role: spec?.role ?? 'worker',
    agent_version: record?.agentVersion ?? '',
    engine_version: record?.engine.version ?? '',
    os: record?.engine.os ?? '',
    architecture: record?.engine.architecture ?? '',
  });
  return `${node.labels},${words}`;
}

function readiness({ state }: NodeView): (typeof conditionStatuses)[number] {
  if (state === 'ready') return 'true';
  return state === 'suspect' || state === 'unknown' ? 'unknown' : 'false';
}

/** A node whose agent was never heard has no such series. */
function amounts(labels: string, nanoCpus: number | undefined, memoryBytes: number | undefined): StateSample[] {
  if (nanoCpus === undefined || memoryBytes === undefined) return [];
  return [
    { labels: `${labels},resource="cpu",unit="core"`, value: nanoCpus / 1e9 },
    { labels: `${labels},resource="memory",unit="byte"`, value: memoryBytes },
  ];
}

/** Tasks that are to stop free their room: the planner counts the same way. */
function sumOf(tasks: readonly TaskState[], amountOf: (state: TaskState) => number | undefined): number {
  return tasks.filter(({ task }) => task.desired !== 'stopped').reduce((sum, state) => sum + (amountOf(state) ?? 0), 0);
}
