/** A snapshot regrouped for metrics, once per snapshot: services with their tasks, nodes with their load. Pure. */
import type {
  NodeRecord,
  NodeSpecRecord,
  RolloutRecord,
  ServiceRecord,
  StatusRecord,
  TaskRecord,
} from '../../model/records.ts';
import { desiredReplicas, isGlobal } from '../../model/service-defaults.ts';
import type { NodeState, Snapshot } from '../store/snapshot.ts';

export interface TaskState {
  readonly task: TaskRecord;
  readonly status: StatusRecord | undefined;
  readonly nodeState: NodeState;
}

export interface PendingSlot {
  readonly reason: string;
  readonly sinceMs: number;
}

export interface ServiceState {
  readonly record: ServiceRecord;
  readonly mode: 'replicated' | 'global';
  readonly desired: number;
  readonly tasks: readonly TaskState[];
  readonly pending: readonly PendingSlot[];
  /** State of the last update; undefined before the first. */
  readonly updateState: RolloutRecord['state'] | undefined;
}

export interface NodeView {
  readonly id: string;
  /** The hostname, as `docker node ls` and service discovery show it; the id while it is unknown. */
  readonly name: string;
  readonly state: NodeState;
  readonly spec: NodeSpecRecord | undefined;
  readonly record: NodeRecord | undefined;
  readonly tasks: readonly TaskState[];
}

export interface ClusterView {
  readonly services: readonly ServiceState[];
  readonly nodes: readonly NodeView[];
  readonly nodeNames: ReadonlyMap<string, string>;
  readonly taskCount: number;
  readonly leader: Snapshot['leader'];
}

export function viewCluster(snapshot: Snapshot): ClusterView {
  const tasks = [...snapshot.tasks.values()].map(({ value }) => stateOfTask(snapshot, value));
  const byService = groupBy(tasks, ({ task }) => task.serviceId);
  const byNode = groupBy(tasks, ({ task }) => task.nodeId);
  const pending = groupBy(pendingSlots(snapshot), ({ serviceId }) => serviceId);
  const services = [...snapshot.services.values()].map(({ value }) =>
    viewService(snapshot, value, byService.get(value.id) ?? [], pending.get(value.id) ?? []),
  );
  const ids = new Set([...snapshot.nodeSpecs.keys(), ...snapshot.nodes.keys()]);
  const nodes = [...ids].map((id) => viewNode(snapshot, id, byNode.get(id) ?? []));
  const nodeNames = new Map(nodes.map(({ id, name }) => [id, name]));
  return { services, nodes, nodeNames, taskCount: tasks.length, leader: snapshot.leader };
}

/** Runs and is meant to: on a node that is not lost. */
export function isRunning({ task, status, nodeState }: TaskState): boolean {
  return task.desired === 'running' && status?.state === 'running' && nodeState !== 'lost';
}

export function isReady(state: TaskState): boolean {
  return isRunning(state) && state.status?.ready === true;
}

function stateOfTask(snapshot: Snapshot, task: TaskRecord): TaskState {
  const status = snapshot.statuses.get(task.id)?.value;
  return { task, status, nodeState: stateOfNode(snapshot, task.nodeId) };
}

function stateOfNode(snapshot: Snapshot, nodeId: string): NodeState {
  return snapshot.liveness.get(nodeId)?.state ?? 'unknown';
}

function pendingSlots(snapshot: Snapshot): (PendingSlot & { readonly serviceId: string })[] {
  return [...snapshot.slots.values()].flatMap(({ value: { serviceId, pending } }) =>
    pending ? [{ serviceId, reason: pending.reason, sinceMs: pending.sinceMs }] : [],
  );
}

function viewService(
  snapshot: Snapshot,
  record: ServiceRecord,
  tasks: readonly TaskState[],
  pending: readonly PendingSlot[],
): ServiceState {
  const global = isGlobal(record.spec);
  const replicas = snapshot.scales.get(record.id)?.value.replicas ?? desiredReplicas(record.spec);
  const wanted = global ? nodesWanting(tasks) + pending.length : replicas;
  const desired = record.removedAtMs === undefined ? wanted : 0;
  const updateState = snapshot.rollouts.get(record.id)?.value.state;
  return { record, mode: global ? 'global' : 'replicated', desired, tasks, pending, updateState };
}

/** A global service wants a task on each node the leader found fitting. */
function nodesWanting(tasks: readonly TaskState[]): number {
  return new Set(tasks.filter(({ task }) => task.desired !== 'stopped').map(({ task }) => task.nodeId)).size;
}

function viewNode(snapshot: Snapshot, id: string, tasks: readonly TaskState[]): NodeView {
  const [spec, record] = [snapshot.nodeSpecs.get(id)?.value, snapshot.nodes.get(id)?.value];
  const name = record?.hostname || spec?.name || id;
  return { id, name, state: stateOfNode(snapshot, id), spec, record, tasks };
}

/** Map.groupBy, which Node 20 lacks. */
export function groupBy<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
