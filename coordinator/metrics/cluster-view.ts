/** A snapshot regrouped for metrics, once per page: services with their tasks, nodes with their load. Pure. */

import type { AlertState } from '../../model/alert-record.ts';
import { isJob } from '../../model/jobs.ts';
import { containerLabels } from '../../model/labels.ts';
import type { NodeRecord, NodeSpecRecord } from '../../model/node-record.ts';
import type { RolloutRecord } from '../../model/rollout-record.ts';
import { effectiveReplicas, type ScaleRecord } from '../../model/scale-record.ts';
import { isGlobal, type ModeName, modeName } from '../../model/service-defaults.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { PendingCode } from '../../model/slot-record.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { groupBy } from '../../runtime/group-by.ts';
import { labelText } from '../../runtime/label-text.ts';
import type { NodeState, Snapshot } from '../store/snapshot.ts';

export interface TaskState {
  readonly task: TaskRecord;
  readonly status: StatusRecord | undefined;
  readonly nodeState: NodeState;
  /** Identity, as on every series of the task. */
  readonly labels: string;
}

export interface PendingSlot {
  readonly serviceId: string;
  readonly code: PendingCode | 'other';
}

export interface ServiceState {
  readonly record: ServiceRecord;
  /** Of the record: what the Engine API calls Version.Index. */
  readonly version: number;
  /** The version the leader last planned from, where it is this coordinator that leads. */
  readonly plannedVersion: number | undefined;
  readonly mode: ModeName;
  readonly desired: number;
  readonly tasks: readonly TaskState[];
  readonly pending: readonly PendingSlot[];
  /** Alerts that ask something of it. */
  readonly alerts: readonly AlertState[];
  /** The autoscaler's last decision; undefined for a service that does not scale itself. */
  readonly scale: ScaleRecord | undefined;
  /** State of the last update; undefined before the first. */
  readonly updateState: RolloutRecord['state'] | undefined;
  /** Identity, as on every series of the service. */
  readonly labels: string;
}

export interface NodeView {
  readonly id: string;
  /** The hostname, as `docker node ls` and service discovery show it; the id while it is unknown. */
  readonly name: string;
  readonly state: NodeState;
  readonly spec: NodeSpecRecord | undefined;
  readonly record: NodeRecord | undefined;
  readonly tasks: readonly TaskState[];
  /** Identity, as on every series of the node: hostnames may repeat, the id keeps such nodes apart. */
  readonly labels: string;
}

export interface ClusterView {
  readonly services: readonly ServiceState[];
  readonly nodes: readonly NodeView[];
  readonly nodeNames: ReadonlyMap<string, string>;
  /** Of all services that are known. */
  readonly tasks: readonly TaskState[];
  readonly leader: Snapshot['leader'];
}

export function viewCluster(
  snapshot: Snapshot,
  plannedVersion: (serviceId: string) => number | undefined,
): ClusterView {
  const tasks = [...snapshot.tasks.values()].map(({ value }) => stateOfTask(snapshot, value));
  const byService = groupBy(tasks, ({ task }) => task.serviceId);
  const byNode = groupBy(tasks, ({ task }) => task.nodeId);
  const pending = groupBy(pendingSlots(snapshot), ({ serviceId }) => serviceId);
  const services = oneOfEachName([...snapshot.services.values()]).map((entry) => {
    const { id } = entry.value;
    const planned = plannedVersion(id);
    return viewService(snapshot, entry, planned, byService.get(id) ?? [], pending.get(id) ?? []);
  });
  const ids = new Set([...snapshot.nodeSpecs.keys(), ...snapshot.nodes.keys()]);
  const nodes = [...ids].map((id) => viewNode(snapshot, id, byNode.get(id) ?? []));
  const nodeNames = new Map(nodes.map(({ id, name }) => [id, name]));
  return { services, nodes, nodeNames, tasks, leader: snapshot.leader };
}

type ServiceEntry = NonNullable<ReturnType<Snapshot['services']['get']>>;

/** A name is free again while its service is still being removed: two of one name would be two series of one identity. */
function oneOfEachName(entries: readonly ServiceEntry[]): readonly ServiceEntry[] {
  const byName = new Map<string, ServiceEntry>();
  for (const entry of entries) {
    const { spec, removedAtMs } = entry.value;
    if (removedAtMs === undefined || !byName.has(spec.Name)) byName.set(spec.Name, entry);
  }
  return [...byName.values()];
}

/** Runs or shall run. */
export function isWanted({ task }: TaskState): boolean {
  return task.desired !== 'stopped';
}

/** Runs and is meant to: on a node that is not lost. */
export function isRunning({ task, status, nodeState }: TaskState): boolean {
  return task.desired === 'running' && status?.state === 'running' && nodeState !== 'lost';
}

export function isReady(state: TaskState): boolean {
  return isRunning(state) && state.status?.ready === true;
}

/** Ready, and its node is heard of: a suspect node's tasks may still serve, but nobody knows. */
export function isAvailable(state: TaskState): boolean {
  return isReady(state) && state.nodeState === 'ready';
}

function stateOfTask(snapshot: Snapshot, task: TaskRecord): TaskState {
  const status = snapshot.statuses.get(task.id)?.value;
  const labels = labelText({ service: task.serviceName, task: task.id });
  return { task, status, nodeState: stateOfNode(snapshot, task.nodeId), labels };
}

function stateOfNode(snapshot: Snapshot, nodeId: string): NodeState {
  return snapshot.liveness.get(nodeId)?.state ?? 'unknown';
}

function pendingSlots(snapshot: Snapshot): PendingSlot[] {
  return [...snapshot.slots.values()].flatMap(({ value: { serviceId, pending } }) =>
    pending ? [{ serviceId, code: pending.code ?? 'other' }] : [],
  );
}

function viewService(
  snapshot: Snapshot,
  { value: record, revision: version }: { readonly value: ServiceRecord; readonly revision: number },
  plannedVersion: number | undefined,
  tasks: readonly TaskState[],
  pending: readonly PendingSlot[],
): ServiceState {
  const scale = snapshot.scales.get(record.id)?.value;
  const replicas = effectiveReplicas(record.spec, scale);
  const isCounted = isGlobal(record.spec) || isJob(record.spec);
  const wanted = isCounted ? placesWanting(tasks) + pending.length : replicas;
  const desired = record.removedAtMs === undefined ? wanted : 0;
  const updateState = snapshot.rollouts.get(record.id)?.value.state;
  const stack = record.spec.Labels?.[containerLabels.stackNamespace] ?? '';
  const labels = labelText({ service: record.spec.Name, stack });
  const mode = modeName(record.spec);
  const alerts = snapshot.alerts.get(record.id)?.value.alerts ?? [];
  return { record, version, plannedVersion, mode, desired, tasks, pending, scale, alerts, updateState, labels };
}

/** A global service wants a task on each node the leader found fitting, a job what is begun and not complete. */
function placesWanting(tasks: readonly TaskState[]): number {
  const wanting = tasks.filter(({ task, status }) => task.desired !== 'stopped' && status?.state !== 'complete');
  return new Set(wanting.map(({ task }) => task.slot || task.nodeId)).size;
}

function viewNode(snapshot: Snapshot, id: string, tasks: readonly TaskState[]): NodeView {
  const [spec, record] = [snapshot.nodeSpecs.get(id)?.value, snapshot.nodes.get(id)?.value];
  const name = record?.hostname || spec?.name || id;
  const labels = labelText({ node: name, node_id: id });
  return { id, name, state: stateOfNode(snapshot, id), spec, record, tasks, labels };
}
