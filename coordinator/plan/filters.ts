/** May a task of this service run on this node? A list of questions, each of which can explain its own "no". */

import type { Placement, TaskTemplate } from '../../model/service-spec.ts';
import type { PendingCode } from '../../model/slot-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { type Constraint, meets, normalArchitecture, parseConstraint } from './constraints.ts';
import { genericLacking, genericReservations, genericText } from './generic-resources.ts';
import { WIREGUARD_ADVICE } from './network/encrypting-nodes.ts';
import type { NetworkRoom } from './network/network-room.ts';
import type { PlanNode } from './nodes.ts';
import { hostPortsOf, type NodeUse, reservationsOf } from './occupancy.ts';

/** Services to be near to, or apart from. */
export interface Kin {
  /** As the user wrote it. */
  readonly text: string;
  readonly serviceIds: readonly string[];
  /** True while the service is its own kin and none of them runs anywhere: its first task may go to any node. */
  readonly isOpen: () => boolean;
}

/** What a group of identical tasks asks of a node. */
export interface Requirements {
  readonly serviceId: string;
  readonly image: string;
  readonly constraints: readonly Constraint[];
  readonly platforms: readonly { readonly os: string; readonly architecture: string }[];
  readonly spread: NonNullable<Placement['Preferences']>;
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  /** How many of each kind of generic resource. */
  readonly generic: ReadonlyMap<string, number>;
  readonly hostPorts: readonly string[];
  /** 0 = no limit. */
  readonly maxReplicasPerNode: number;
  readonly near: readonly Kin[];
  readonly apart: readonly Kin[];
  /** Of its networks those whose addresses may run out. */
  readonly networks: readonly NetworkRoom[];
  /** Names of its encrypted networks. */
  readonly encrypted: readonly string[];
}

/** What a service's wants depend on beside itself. */
export type Surroundings = Pick<Requirements, 'near' | 'apart' | 'networks' | 'encrypted'>;
const ALONE: Surroundings = { near: [], apart: [], networks: [], encrypted: [] };

export interface Filter {
  readonly name: string;
  /** What its "no" is called in metrics. */
  readonly code: PendingCode;
  /** Whether these wants give it anything to ask. */
  readonly concerns: (wants: Requirements) => boolean;
  readonly allows: (node: PlanNode, use: NodeUse, wants: Requirements) => boolean;
  /** "scheduling constraints not satisfied on 2 nodes": the words of Swarm, with the wish added. */
  readonly explain: (refused: readonly PlanNode[], wants: Requirements) => string;
  /** Why this one node says no, with its numbers. */
  readonly objection: (node: PlanNode, use: NodeUse, wants: Requirements) => string;
}

export function requirementsOf(
  serviceId: string,
  template: TaskTemplate,
  ports: TaskRecord['ports'],
  surroundings: Surroundings = ALONE,
): Requirements {
  const placement = template.Placement;
  return {
    serviceId,
    image: template.ContainerSpec.Image,
    constraints: (placement?.Constraints ?? []).map(parsedOrImpossible),
    platforms: (placement?.Platforms ?? []).map((platform) => ({
      os: (platform.OS ?? '').toLowerCase(),
      architecture: normalArchitecture(platform.Architecture ?? ''),
    })),
    spread: placement?.Preferences ?? [],
    ...reservationsOf(template),
    generic: genericReservations(template),
    hostPorts: hostPortsOf(ports),
    maxReplicasPerNode: placement?.MaxReplicas ?? 0,
    ...surroundings,
  };
}

/** The API refuses bad constraints; one that got in all the same matches no node rather than every node. */
function parsedOrImpossible(text: string): Constraint {
  const parsed = parseConstraint(text);
  return typeof parsed === 'string' ? { key: 'invalid', operator: '==', value: '', text } : parsed;
}

const always = (): boolean => true;

/** Filters that look at the node alone. */
export const nodeFilters: readonly Filter[] = [
  {
    name: 'ready',
    code: 'node-unavailable',
    concerns: always,
    allows: (node) => node.state === 'ready' && node.availability === 'active' && node.record !== undefined,
    explain: (refused) => `${nodeCount(refused)} not available for new tasks: ${tally(refused.map(unavailability))}`,
    objection: unavailability,
  },
  {
    name: 'constraint',
    code: 'constraints',
    concerns: ({ constraints }) => constraints.length > 0,
    allows: (node, _use, { constraints }) => constraints.every((constraint) => meets(node, constraint)),
    explain: (refused, wants) =>
      `scheduling constraints not satisfied on ${nodeCount(refused)}; wants ${wants.constraints.map((constraint) => constraint.text).join(', ')}`,
    objection: (node, _use, { constraints }) =>
      `does not meet ${constraints
        .filter((constraint) => !meets(node, constraint))
        .map(({ text }) => text)
        .join(', ')}`,
  },
  {
    name: 'platform',
    code: 'platform',
    concerns: ({ platforms }) => platforms.length > 0,
    allows: (node, _use, { platforms }) => platforms.length === 0 || platforms.some((platform) => fits(node, platform)),
    explain: (refused) => `unsupported platform on ${nodeCount(refused)}`,
    objection: (node, _use, { platforms }) =>
      `is ${node.record?.engine.os}/${node.record?.engine.architecture}, the image is for ${platforms.map(({ os, architecture }) => `${os}/${architecture}`).join(', ')}`,
  },
  {
    name: 'encryption',
    code: 'platform',
    concerns: ({ encrypted }) => encrypted.length > 0,
    allows: (node, _use, { encrypted }) => encrypted.length === 0 || node.record?.wireguardKey !== undefined,
    explain: (refused, { encrypted }) =>
      `no WireGuard on ${nodeCount(refused)}; wants the encrypted network ${encrypted.join(', ')}`,
    objection: (_node, _use, { encrypted }) =>
      `has no WireGuard, which the encrypted network ${encrypted.join(', ')} needs: ${WIREGUARD_ADVICE}`,
  },
];

/** Filters that depend on what the node carries already. */
export const roomFilters: readonly Filter[] = [
  {
    name: 'cpu',
    code: 'resources',
    concerns: ({ nanoCpus }) => nanoCpus > 0,
    allows: (node, use, { nanoCpus }) =>
      nanoCpus === 0 || use.nanoCpus + nanoCpus <= (node.record?.resources.nanoCpus ?? 0),
    explain: (refused, wants) => `insufficient resources on ${nodeCount(refused)}; wants ${wants.nanoCpus / 1e9} CPUs`,
    objection: (node, use, { nanoCpus }) => {
      const total = node.record?.resources.nanoCpus ?? 0;
      return `wants ${nanoCpus / 1e9} CPUs, ${round((total - use.nanoCpus) / 1e9)} of ${total / 1e9} are free`;
    },
  },
  {
    name: 'memory',
    code: 'resources',
    concerns: ({ memoryBytes }) => memoryBytes > 0,
    allows: (node, use, { memoryBytes }) =>
      memoryBytes === 0 || use.memoryBytes + memoryBytes <= (node.record?.resources.memoryBytes ?? 0),
    explain: (refused, wants) =>
      `insufficient resources on ${nodeCount(refused)}; wants ${sizeText(wants.memoryBytes)} of memory`,
    objection: (node, use, { memoryBytes }) => {
      const total = node.record?.resources.memoryBytes ?? 0;
      const free = sizeText(Math.max(0, total - use.memoryBytes));
      return `wants ${sizeText(memoryBytes)} of memory, ${free} of ${sizeText(total)} are free`;
    },
  },
  {
    name: 'generic-resource',
    code: 'resources',
    concerns: ({ generic }) => generic.size > 0,
    allows: (node, use, { generic }) => genericLacking(node, use, generic).length === 0,
    explain: (refused, wants) => `insufficient resources on ${nodeCount(refused)}; wants ${genericText(wants.generic)}`,
    objection: (node, use, { generic }) => genericLacking(node, use, generic).join(', '),
  },
  {
    name: 'host-port',
    code: 'port',
    concerns: ({ hostPorts }) => hostPorts.length > 0,
    allows: (_node, use, { hostPorts }) => hostPorts.every((port) => (use.hostPorts.get(port) ?? 0) <= 0),
    explain: (refused, wants) =>
      `host-mode port already in use on ${nodeCount(refused)}; wants ${wants.hostPorts.join(', ')}`,
    objection: (_node, use, { hostPorts }) =>
      `host-mode port already in use: ${hostPorts.filter((port) => (use.hostPorts.get(port) ?? 0) > 0).join(', ')}`,
  },
  {
    name: 'addresses',
    code: 'addresses',
    concerns: ({ networks }) => networks.length > 0,
    allows: (_node, use, { networks }) => networks.every((network) => network.hasAddress(use)),
    explain: (refused, { networks }) =>
      `no addresses left on ${nodeCount(refused)}; wants one of network ${networks.map(({ text }) => text).join(', ')}`,
    objection: (node, use, { networks }) =>
      networks
        .filter((network) => !network.hasAddress(use))
        .map((network) => {
          const given = network.addressesOf(node.id);
          return `has no address left of its ${given} of network ${network.text}, and there is no further range to give`;
        })
        .join(', '),
  },
  {
    name: 'max-replicas',
    code: 'max-replicas',
    concerns: ({ maxReplicasPerNode }) => maxReplicasPerNode > 0,
    allows: (_node, use, wants) =>
      wants.maxReplicasPerNode === 0 || (use.byService.get(wants.serviceId) ?? 0) < wants.maxReplicasPerNode,
    explain: (refused, wants) =>
      `max replicas per node limit exceed on ${nodeCount(refused)}; at most ${wants.maxReplicasPerNode} per node`,
    objection: (_node, use, wants) =>
      `has ${use.byService.get(wants.serviceId) ?? 0} replicas, at most ${wants.maxReplicasPerNode} per node`,
  },
  {
    name: 'affinity',
    code: 'affinity',
    concerns: ({ near }) => near.length > 0,
    allows: (_node, use, { near }) => near.every((kin) => hasKin(use, kin) || kin.isOpen()),
    explain: (refused, { near }) =>
      `affinity not satisfied on ${nodeCount(refused)}; wants a node with ${near.map(({ text }) => text).join(', ')}`,
    objection: (_node, use, { near }) =>
      `has no task of ${near
        .filter((kin) => !hasKin(use, kin))
        .map(({ text }) => text)
        .join(', ')}`,
  },
  {
    name: 'anti-affinity',
    code: 'affinity',
    concerns: ({ apart }) => apart.length > 0,
    allows: (_node, use, { apart }) => !apart.some((kin) => hasKin(use, kin)),
    explain: (refused, { apart }) =>
      `anti-affinity not satisfied on ${nodeCount(refused)}; wants a node without ${apart.map(({ text }) => text).join(', ')}`,
    objection: (_node, use, { apart }) =>
      `has a task of ${apart
        .filter((kin) => hasKin(use, kin))
        .map(({ text }) => text)
        .join(', ')}`,
  },
];

function hasKin(use: NodeUse, { serviceIds }: Kin): boolean {
  return serviceIds.some((id) => (use.byService.get(id) ?? 0) > 0);
}

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

function round(value: number): number {
  return Number(value.toFixed(3));
}

function sizeText(bytes: number): string {
  if (bytes === 0) return '0 B';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** step).toFixed(1))} ${units[step]}`;
}
