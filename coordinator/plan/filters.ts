/** May a task of this service run on this node? A list of questions, each of which can explain its own "no". */
import type { PendingCode, TaskRecord } from '../../model/records.ts';
import type { TaskTemplate } from '../../model/service-spec.ts';
import { type Constraint, meets, normalArchitecture, parseConstraint } from './constraints.ts';
import type { PlanNode } from './nodes.ts';
import { hostPortsOf, type NodeUse, reservationsOf } from './occupancy.ts';

/** What a group of identical tasks asks of a node. */
export interface Requirements {
  readonly serviceId: string;
  readonly constraints: readonly Constraint[];
  readonly platforms: readonly { readonly os: string; readonly architecture: string }[];
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  readonly hostPorts: readonly string[];
  /** 0 = no limit. */
  readonly maxReplicasPerNode: number;
}

export interface Filter {
  readonly name: string;
  /** What its "no" is called in metrics. */
  readonly code: PendingCode;
  readonly allows: (node: PlanNode, use: NodeUse, wants: Requirements) => boolean;
  /** "scheduling constraints not satisfied on 2 nodes": the words of Swarm, with the wish added. */
  readonly explain: (refused: readonly PlanNode[], wants: Requirements) => string;
}

export function requirementsOf(serviceId: string, template: TaskTemplate, ports: TaskRecord['ports']): Requirements {
  const placement = template.Placement;
  return {
    serviceId,
    constraints: (placement?.Constraints ?? []).map(parsedOrImpossible),
    platforms: (placement?.Platforms ?? []).map((platform) => ({
      os: (platform.OS ?? '').toLowerCase(),
      architecture: normalArchitecture(platform.Architecture ?? ''),
    })),
    ...reservationsOf(template),
    hostPorts: hostPortsOf(ports),
    maxReplicasPerNode: placement?.MaxReplicas ?? 0,
  };
}

/** The API refuses bad constraints; one that got in all the same matches no node rather than every node. */
function parsedOrImpossible(text: string): Constraint {
  const parsed = parseConstraint(text);
  return typeof parsed === 'string' ? { key: 'invalid', operator: '==', value: '', text } : parsed;
}

/** Filters that look at the node alone. */
export const nodeFilters: readonly Filter[] = [
  {
    name: 'ready',
    code: 'node-unavailable',
    allows: (node) => node.state === 'ready' && node.availability === 'active' && node.record !== undefined,
    explain: (refused) => `${nodeCount(refused)} not available for new tasks: ${tally(refused.map(unavailability))}`,
  },
  {
    name: 'constraint',
    code: 'constraints',
    allows: (node, _use, wants) => wants.constraints.every((constraint) => meets(node, constraint)),
    explain: (refused, wants) =>
      `scheduling constraints not satisfied on ${nodeCount(refused)}; wants ${wants.constraints.map((constraint) => constraint.text).join(', ')}`,
  },
  {
    name: 'platform',
    code: 'platform',
    allows: (node, _use, wants) =>
      wants.platforms.length === 0 || wants.platforms.some((platform) => fits(node, platform)),
    explain: (refused) => `unsupported platform on ${nodeCount(refused)}`,
  },
];

/** Filters that depend on what the node carries already. */
export const roomFilters: readonly Filter[] = [
  {
    name: 'cpu',
    code: 'resources',
    allows: (node, use, wants) =>
      wants.nanoCpus === 0 || use.nanoCpus + wants.nanoCpus <= (node.record?.resources.nanoCpus ?? 0),
    explain: (refused, wants) => `insufficient resources on ${nodeCount(refused)}; wants ${wants.nanoCpus / 1e9} CPUs`,
  },
  {
    name: 'memory',
    code: 'resources',
    allows: (node, use, wants) =>
      wants.memoryBytes === 0 || use.memoryBytes + wants.memoryBytes <= (node.record?.resources.memoryBytes ?? 0),
    explain: (refused, wants) =>
      `insufficient resources on ${nodeCount(refused)}; wants ${sizeText(wants.memoryBytes)} of memory`,
  },
  {
    name: 'host-port',
    code: 'port',
    allows: (_node, use, wants) => wants.hostPorts.every((port) => (use.hostPorts.get(port) ?? 0) <= 0),
    explain: (refused, wants) =>
      `host-mode port already in use on ${nodeCount(refused)}; wants ${wants.hostPorts.join(', ')}`,
  },
  {
    name: 'max-replicas',
    code: 'max-replicas',
    allows: (_node, use, wants) =>
      wants.maxReplicasPerNode === 0 || (use.byService.get(wants.serviceId) ?? 0) < wants.maxReplicasPerNode,
    explain: (refused, wants) =>
      `max replicas per node limit exceed on ${nodeCount(refused)}; at most ${wants.maxReplicasPerNode} per node`,
  },
];

/** Does the node still suit a running task: availability and constraints, not the room it takes itself. */
export function stillSuits(node: PlanNode, use: NodeUse, wants: Requirements): boolean {
  return nodeFilters.filter((filter) => filter.name !== 'ready').every((filter) => filter.allows(node, use, wants));
}

function fits(node: PlanNode, platform: { os: string; architecture: string }): boolean {
  const engine = node.record?.engine;
  const osFits = platform.os === '' || platform.os === engine?.os.toLowerCase();
  const architecture = normalArchitecture(engine?.architecture ?? '');
  return osFits && (platform.architecture === '' || platform.architecture === architecture);
}

function unavailability(node: PlanNode): string {
  if (node.availability !== 'active') return node.availability === 'drain' ? 'drained' : 'paused';
  if (node.state === 'unknown' || !node.record) return 'not heard of yet';
  return node.state;
}

function nodeCount(nodes: readonly unknown[]): string {
  return nodes.length === 1 ? '1 node' : `${nodes.length} nodes`;
}

function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .sort()
    .map(([word, count]) => `${count} ${word}`)
    .join(', ');
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** step).toFixed(1))} ${units[step]}`;
}
