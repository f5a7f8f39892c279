/** `/v1/status`: the cluster on one page. Pure. */
import type { DrainProgress } from '../../../model/drain-progress.ts';
import { isJob } from '../../../model/jobs.ts';
import type { ClusterStatus, DamagedRecord, NodeSummary, ServiceSummary } from '../../../model/native-api.ts';
import type { NodeSpecRecord } from '../../../model/node-record.ts';
import { effectiveReplicas } from '../../../model/scale-record.ts';
import { isGlobal, modeName } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { StatusRecord } from '../../../model/status-record.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { liveServicesByName } from '../../store/live-services.ts';
import { isManager, managerStatusOf } from '../../store/manager-status.ts';
import { nodeName } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { HeardUsage } from '../../usage/usage-book.ts';
import { drainProgress } from './drain-view.ts';

export interface StatusContext {
  readonly clusterId: string;
  readonly version: string;
  readonly busConnected: boolean;
  readonly stateCurrent: boolean;
  readonly damagedRecords: readonly DamagedRecord[];
  /** What nodes said lately. */
  readonly usage: ReadonlyMap<string, Pick<HeardUsage, 'usage'>>;
}

export function clusterStatus(snapshot: Snapshot, context: StatusContext): ClusterStatus {
  return {
    clusterId: context.clusterId,
    version: context.version,
    ...leaderOf(snapshot),
    busConnected: context.busConnected,
    stateCurrent: context.stateCurrent,
    nodes: sortedNodeSpecs(snapshot).map((spec) => nodeSummary(snapshot, spec)),
    services: liveServicesByName(snapshot).map((service) => serviceSummary(snapshot, service)),
    damagedRecords: [...context.damagedRecords],
    drains: drainsOf(snapshot),
    networkWarnings: networkWarnings(snapshot, context.usage),
  };
}

/** By node; that nothing comes through to a node that is away says nothing of the network. */
function networkWarnings(snapshot: Snapshot, said: StatusContext['usage']): ClusterStatus['networkWarnings'] {
  const isHere = (id: string | undefined) => id === undefined || snapshot.liveness.get(id)?.state === 'ready';
  const rows = [...said].flatMap(([nodeId, { usage }]) => {
    const warnings = (usage.networkWarnings ?? []).filter(({ peerId }) => isHere(peerId));
    return warnings.map(({ peerId, says, ...warning }) => {
      const peer = peerId === undefined ? '' : `${nodeName(snapshot, peerId)}: `;
      return { node: nodeName(snapshot, nodeId), says: `${peer}${says}`, ...warning };
    });
  });
  return rows.sort((left, right) => left.node.localeCompare(right.node) || left.says.localeCompare(right.says));
}

function drainsOf(snapshot: Snapshot): DrainProgress[] {
  const drained = sortedNodeSpecs(snapshot).filter(({ availability }) => availability === 'drain');
  return drained
    .map(({ id }) => drainProgress(snapshot, id))
    .filter(({ left, homeless }) => left.length + homeless.length > 0);
}

function leaderOf(snapshot: Snapshot): Pick<ClusterStatus, 'leader'> {
  if (!snapshot.leader) return {};
  const { nodeId, epoch } = snapshot.leader;
  return { leader: { nodeId, hostname: nodeName(snapshot, nodeId), epoch } };
}

function sortedNodeSpecs(snapshot: Snapshot): NodeSpecRecord[] {
  return [...snapshot.nodeSpecs.values()]
    .map((entry) => entry.value)
    .sort((left, right) => nodeName(snapshot, left.id).localeCompare(nodeName(snapshot, right.id)));
}

export function nodeSummary(snapshot: Snapshot, spec: NodeSpecRecord): NodeSummary {
  const record = snapshot.nodes.get(spec.id)?.value;
  const liveness = snapshot.liveness.get(spec.id);
  return {
    id: spec.id,
    hostname: nodeName(snapshot, spec.id),
    state: record ? (liveness?.state ?? 'unknown') : 'down',
    message: record ? (liveness?.message ?? '') : 'let in, but its agent never registered',
    availability: spec.availability,
    address: record?.address ?? '',
    manager: isManager(snapshot, spec),
    leader: snapshot.leader?.nodeId === spec.id,
    managerStatus: managerStatusOf(snapshot, spec) ?? '',
    engineVersion: record?.engine.version ?? '',
    incarnation: record?.incarnation ?? 0,
    agentVersion: record?.agentVersion ?? '',
    runningTasks: [...snapshot.statuses.values()].filter(
      ({ value }) => value.nodeId === spec.id && value.state === 'running',
    ).length,
  };
}

/** The tasks of a service that should run, each with what its agent says of it. */
export function wantedTasks(
  snapshot: Snapshot,
  serviceId: string,
): { readonly task: TaskRecord; readonly status: StatusRecord | undefined }[] {
  return [...snapshot.tasks.values()]
    .map((entry) => entry.value)
    .filter((task) => task.serviceId === serviceId && task.desired === 'running')
    .map((task) => ({ task, status: snapshot.statuses.get(task.id)?.value }));
}

export function serviceSummary(snapshot: Snapshot, service: ServiceRecord): ServiceSummary {
  const isHeardOf = ({ task }: { readonly task: TaskRecord }) => snapshot.liveness.get(task.nodeId)?.state !== 'lost';
  const tasks = wantedTasks(snapshot, service.id).filter(isHeardOf);
  return {
    id: service.id,
    name: service.spec.Name,
    mode: modeName(service.spec),
    image: service.spec.TaskTemplate.ContainerSpec.Image,
    desired: wantedCount(snapshot, service),
    running: tasks.filter(({ status }) => status?.state === 'running').length,
    ready: tasks.filter(({ status }) => status?.state === 'running' && status.ready).length,
    update: snapshot.rollouts.get(service.id)?.value.state ?? '',
    problem: firstProblem(snapshot, service.id),
  };
}

/** A global service wants one task on every node that has a slot (the leader decided which fit), a job those begun. */
function wantedCount(snapshot: Snapshot, service: ServiceRecord): number {
  const { spec } = service;
  if (!isGlobal(spec) && !isJob(spec)) return effectiveReplicas(spec, snapshot.scales.get(service.id)?.value);
  const unfinished = wantedTasks(snapshot, service.id).filter(({ status }) => status?.state !== 'complete');
  const placed = new Set(unfinished.map(({ task }) => task.slot || task.nodeId));
  return placed.size + pendingReasons(snapshot, service.id).length;
}

function pendingReasons(snapshot: Snapshot, serviceId: string): string[] {
  return [...snapshot.slots.values()].flatMap(({ value }) =>
    value.serviceId === serviceId && value.pending ? [value.pending.reason] : [],
  );
}

function firstProblem(snapshot: Snapshot, serviceId: string): string {
  const failing = wantedTasks(snapshot, serviceId).find(({ status }) => status?.error && status.state !== 'running');
  return pendingReasons(snapshot, serviceId)[0] ?? failing?.status?.error ?? blindness(snapshot, serviceId) ?? '';
}

/** Why a service that scales itself does not follow its load. */
function blindness({ scales }: Snapshot, serviceId: string): string | undefined {
  const scale = scales.get(serviceId)?.value;
  return scale?.condition === 'blind' ? `autoscaling is blind: ${scale.reason}` : undefined;
}
