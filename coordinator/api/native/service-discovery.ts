/** `/v1/sd`: everything Prometheus should scrape, in its HTTP service discovery format. Pure. */
import type { NodeRecord } from '../../../model/node-record.ts';
import type { StatusRecord } from '../../../model/status-record.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import type { Snapshot } from '../../store/snapshot.ts';

/** One element of Prometheus' HTTP service discovery answer. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface DiscoveryIdentity {
  readonly clusterId: string;
  readonly advertiseAddress: string;
  readonly httpPort: number;
}

/** How the agents' pages are reached: each at its own port, or all through this coordinator. */
export const discoveryVias = ['agents', 'coordinator'] as const;
export type DiscoveryVia = (typeof discoveryVias)[number];

/** Label of a service or its containers: the port its metrics are served at. */
export const SCRAPE_PORT_LABEL = 'plimsoll.scrape.port';
/** Where on that port; `/metrics` when unset. */
export const SCRAPE_PATH_LABEL = 'plimsoll.scrape.path';

/**
 * One group per target. The order is stable (by role, then name, then id), as Prometheus tells groups apart by their
 * place in the list. `via` coordinator: agents are scraped through this one, by `/v1/nodes/<node>/metrics`, so that it is
 * the only port Prometheus has to reach; tasks are at their own ports all the same.
 */
export function discoveryTargets(
  snapshot: Snapshot,
  identity: DiscoveryIdentity,
  via: DiscoveryVia = 'agents',
): TargetGroup[] {
  const cluster = { __meta_plimsoll_cluster_id: identity.clusterId };
  const nodes = [...snapshot.nodes.values()].map((entry) => entry.value).sort(byHostname);
  return [
    ...nodes.map((node) => (via === 'agents' ? agentTarget(node) : agentThroughCoordinator(node, identity))),
    ...coordinatorTargets(nodes, identity),
    ...taskTargets(snapshot, identity),
  ].map((group) => ({ targets: group.targets, labels: { ...cluster, ...group.labels } }));
}

function byHostname(left: NodeRecord, right: NodeRecord): number {
  return compare(left.hostname, right.hostname) || compare(left.id, right.id);
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function agentTarget(node: NodeRecord): TargetGroup {
  return {
    targets: [`${node.address}:${node.agentPort}`],
    labels: { __meta_plimsoll_role: 'agent', ...nodeLabels(node) },
  };
}

function agentThroughCoordinator(node: NodeRecord, { advertiseAddress, httpPort }: DiscoveryIdentity): TargetGroup {
  const labels = { ...agentTarget(node).labels, __metrics_path__: `/v1/nodes/${node.id}/metrics` };
  return { targets: [`${advertiseAddress}:${httpPort}`], labels };
}

function nodeLabels(node: NodeRecord): Record<string, string> {
  return {
    __meta_plimsoll_node_id: node.id,
    __meta_plimsoll_node_name: node.hostname,
    __meta_plimsoll_node_address: node.address,
  };
}

/** Every node that runs a coordinator; this one also before its own host is a node. */
function coordinatorTargets(nodes: readonly NodeRecord[], identity: DiscoveryIdentity): TargetGroup[] {
  const managers = nodes.filter((node) => node.manager || node.address === identity.advertiseAddress);
  const groups = managers.map((node) => ({
    targets: [`${node.address}:${identity.httpPort}`],
    labels: { __meta_plimsoll_role: 'coordinator', ...nodeLabels(node) },
  }));
  if (managers.some((node) => node.address === identity.advertiseAddress)) return groups;
  const own = {
    targets: [`${identity.advertiseAddress}:${identity.httpPort}`],
    labels: { __meta_plimsoll_role: 'coordinator', __meta_plimsoll_node_name: identity.advertiseAddress },
  };
  return [...groups, own];
}

function taskTargets(snapshot: Snapshot, identity: DiscoveryIdentity): TargetGroup[] {
  return [...snapshot.tasks.values()]
    .map((entry) => entry.value)
    .sort(
      (left, right) =>
        compare(left.serviceName, right.serviceName) || left.slot - right.slot || compare(left.id, right.id),
    )
    .flatMap((task) => taskTarget(snapshot, task, identity) ?? []);
}

function taskTarget(snapshot: Snapshot, task: TaskRecord, identity: DiscoveryIdentity): TargetGroup | undefined {
  const node = snapshot.nodes.get(task.nodeId)?.value;
  const status = snapshot.statuses.get(task.id)?.value;
  const port = scrapeLabel(task, SCRAPE_PORT_LABEL);
  if (!port || !node || status?.state !== 'running') return undefined;
  const isHere = node.address === identity.advertiseAddress;
  const target = publishedAddress(task, node, status, Number(port)) ?? (isHere ? ownAddress(status, port) : undefined);
  if (target === undefined) return undefined;
  return { targets: [target], labels: taskLabels(task, node, port) };
}

function scrapeLabel(task: TaskRecord, name: string): string | undefined {
  return task.template.ContainerSpec.Labels?.[name] ?? task.serviceLabels[name];
}

/** A port published on the host is reached from anywhere; an ingress port leads to any of the node's tasks. */
function publishedAddress(task: TaskRecord, node: NodeRecord, status: StatusRecord, port: number): string | undefined {
  const published = task.ports.find((each) => each.TargetPort === port && each.PublishMode === 'host');
  const chosen = status.hostPorts?.find((each) => each.targetPort === port && each.protocol === 'tcp');
  const onHost = published && (published.PublishedPort || chosen?.publishedPort);
  return onHost ? `${node.address}:${onHost}` : undefined;
}

/** On other hosts than the container's own the same address may be another container's. */
function ownAddress(status: StatusRecord, port: string): string | undefined {
  return status.address ? `${status.address}:${port}` : undefined;
}

function taskLabels(task: TaskRecord, node: NodeRecord, port: string): Record<string, string> {
  const path = scrapeLabel(task, SCRAPE_PATH_LABEL);
  return {
    __meta_plimsoll_role: 'task',
    __meta_plimsoll_service_id: task.serviceId,
    __meta_plimsoll_service_name: task.serviceName,
    __meta_plimsoll_task_id: task.id,
    __meta_plimsoll_task_slot: String(task.slot),
    __meta_plimsoll_scrape_port: port,
    ...nodeLabels(node),
    ...(path ? { __metrics_path__: path } : {}),
  };
}
