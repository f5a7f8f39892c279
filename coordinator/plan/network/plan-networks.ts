/**
 * Addresses as the leader gives them out: a range per network and node that has tasks on it, a virtual address per network
 * and service. What is given stays given while anybody may still use it; the next leader reads the same records. Pure.
 */
import {
  isEncrypted,
  MTU_OPTION,
  type NetRecord,
  type NetworkRecord,
  netKey,
  SubnetRecord,
} from '../../../model/network-records.ts';
import { VXLAN_OVERHEAD_BYTES } from '../../../model/network-tunnel.ts';
import { overlayAttachments } from '../../../model/overlay-attachments.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { Action, Chain, Moment } from '../actions.ts';
import type { PlanNode } from '../nodes.ts';
import { sameValue } from '../same-value.ts';
import { AddressSpace, containersIn } from './address-space.ts';

/** A node's range outlives its last task by this: an update or a restart finds the bridge still there. */
const KEEP_IDLE_RANGE_MS = 60_000;

/** Every IPv4 host takes this much (RFC 791): a node that says less is not believed. */
const SMALLEST_UPLINK_MTU_BYTES = 576;

export interface NetworkPlanning {
  readonly snapshot: Snapshot;
  readonly nodes: ReadonlyMap<string, PlanNode>;
  readonly now: Moment;
  readonly wakeAt: (wallMs: number) => void;
}

/** A chain per record to be written or deleted; none for a cluster without networks. */
export function planNetworks(planning: NetworkPlanning): Chain[] {
  const { snapshot } = planning;
  if (snapshot.networks.size === 0 && snapshot.nets.size === 0) return [];
  const space = new AddressSpace([...snapshot.nets.values()].map((entry) => entry.value));
  const uses = usesOf(snapshot);
  const wanted = new Map<string, NetRecord>();
  const mtu = tunnelMtu(planning);
  for (const use of uses.onNodes.values()) note(wanted, withMtu(rangeRecord(use, planning, space), mtu));
  for (const record of idleRanges(uses, planning)) note(wanted, record);
  for (const use of uses.ofServices.values()) note(wanted, vipRecord(use, planning, space));
  return differences(snapshot.nets, wanted);
}

interface NodeUse {
  readonly networkId: string;
  readonly nodeId: string;
  readonly tasks: number;
}
interface ServiceUse {
  readonly networkId: string;
  readonly service: ServiceRecord;
}
interface Uses {
  readonly onNodes: ReadonlyMap<string, NodeUse>;
  readonly ofServices: ReadonlyMap<string, ServiceUse>;
}

/** Every assignment counts until its record is deleted: only then is its container known to be gone. */
function usesOf(snapshot: Snapshot): Uses {
  const onNodes = new Map<string, NodeUse>();
  const ofServices = new Map<string, ServiceUse>();
  for (const { value: task } of snapshot.tasks.values()) {
    const service = snapshot.services.get(task.serviceId)?.value;
    for (const { Target: networkId } of overlayAttachments(task.template)) {
      const key = `${networkId}.${task.nodeId}`;
      const tasks = (onNodes.get(key)?.tasks ?? 0) + 1;
      onNodes.set(key, { networkId, nodeId: task.nodeId, tasks });
      if (service) ofServices.set(`${networkId}.${service.id}`, { networkId, service });
    }
  }
  for (const { value: service } of snapshot.services.values()) {
    if (service.removedAtMs !== undefined) continue;
    for (const { Target: networkId } of overlayAttachments(service.spec.TaskTemplate)) {
      ofServices.set(`${networkId}.${service.id}`, { networkId, service });
    }
  }
  return { onNodes, ofServices };
}

/** The range a network has or gets on a node; undefined where it cannot have one (yet). */
function rangeRecord(use: NodeUse, planning: NetworkPlanning, space: AddressSpace): SubnetRecord | undefined {
  const { snapshot, nodes } = planning;
  const known = knownRange(snapshot, use.networkId, use.nodeId);
  const node = nodes.get(use.nodeId);
  const network = snapshot.networks.get(use.networkId)?.value;
  if (node?.removed) return undefined;
  // A node at no IPv4 address has no part in networks; nobody could read a record that says it had.
  const nodeAddress = SubnetRecord.shape.nodeAddress.safeParse(node?.record?.address).data ?? known?.nodeAddress;
  if (network === undefined || nodeAddress === undefined) return known;
  const subnets = [...(known?.subnets ?? [])];
  while (roomIn(subnets) < use.tasks) {
    const range = space.allocateRange(network, use.nodeId);
    if (range === undefined) break;
    subnets.push(range);
  }
  if (subnets.length === 0) return undefined;
  const facts = factsOf(network);
  const wireguardKey = facts.encrypted ? node?.record?.wireguardKey : undefined;
  return {
    v: 1,
    epoch: 0,
    kind: 'subnet',
    network: facts,
    nodeId: use.nodeId,
    nodeAddress,
    subnets,
    ...(wireguardKey !== undefined && { wireguardKey }),
  };
}

/** What fits through the smallest uplink of all nodes, once it is wrapped; undefined while no node tells. */
function tunnelMtu({ nodes }: NetworkPlanning): number | undefined {
  const uplinks = [...nodes.values()].flatMap(({ removed, record }) => (removed ? [] : (record?.uplinkMtuBytes ?? [])));
  const smallest = Math.max(Math.min(...uplinks), SMALLEST_UPLINK_MTU_BYTES);
  return uplinks.length === 0 ? undefined : smallest - VXLAN_OVERHEAD_BYTES;
}

function withMtu(record: SubnetRecord | undefined, tunnelMtuBytes: number | undefined): SubnetRecord | undefined {
  return record && tunnelMtuBytes !== undefined ? { ...record, tunnelMtuBytes } : record;
}

function roomIn(subnets: readonly string[]): number {
  return subnets.reduce((sum, subnet) => sum + containersIn(subnet), 0);
}

function factsOf(network: NetworkRecord): SubnetRecord['network'] {
  const { id, name, internal } = network;
  const mtu = network.options[MTU_OPTION];
  return {
    id,
    name,
    internal,
    ...(mtu !== undefined && { mtuBytes: Number(mtu) }),
    ...(isEncrypted(network) && { encrypted: true }),
  };
}

/** Ranges nobody uses any more, until their time is over. */
function idleRanges(uses: Uses, { snapshot, nodes, now, wakeAt }: NetworkPlanning): SubnetRecord[] {
  return [...snapshot.nets.values()].flatMap(({ value }) => {
    if (value.kind !== 'subnet' || uses.onNodes.has(`${value.network.id}.${value.nodeId}`)) return [];
    // A clock that was set back must not keep it for ever.
    const idleSinceMs = Math.min(value.idleSinceMs ?? now.wallMs, now.wallMs);
    const endsMs = idleSinceMs + KEEP_IDLE_RANGE_MS;
    if (endsMs <= now.wallMs || nodes.get(value.nodeId)?.removed !== false) return [];
    wakeAt(endsMs);
    return [{ ...value, idleSinceMs }];
  });
}

/** The virtual address of a service on a network; none for those that want their tasks' addresses told (`dnsrr`). */
function vipRecord(
  { networkId, service }: ServiceUse,
  { snapshot }: NetworkPlanning,
  space: AddressSpace,
): NetRecord | undefined {
  if (service.spec.EndpointSpec?.Mode === 'dnsrr') return undefined;
  const stored = snapshot.nets.get(`vip.${networkId}.${service.id}`)?.value;
  const known = stored?.kind === 'vip' ? stored.address : undefined;
  const address = known ?? space.allocateVip(networkId, service.id);
  if (address === undefined) return undefined;
  const attachment = overlayAttachments(service.spec.TaskTemplate).find(({ Target }) => Target === networkId);
  const names = { serviceName: service.spec.Name, aliases: [...(attachment?.Aliases ?? [])] };
  return { v: 1, epoch: 0, kind: 'vip', networkId, serviceId: service.id, ...names, address };
}

function knownRange(snapshot: Snapshot, networkId: string, nodeId: string): SubnetRecord | undefined {
  const known = snapshot.nets.get(`subnet.${networkId}.${nodeId}`)?.value;
  return known?.kind === 'subnet' ? known : undefined;
}

function note(records: Map<string, NetRecord>, record: NetRecord | undefined): void {
  if (record) records.set(netKey(record), record);
}

function differences(stored: Snapshot['nets'], wanted: ReadonlyMap<string, NetRecord>): Chain[] {
  const changes: Action[] = [];
  for (const [key, record] of wanted) {
    const before = stored.get(key);
    if (before && sameValue({ ...before.value, epoch: 0 }, { ...record, epoch: 0 })) continue;
    changes.push({ kind: 'put-net', key, record, expectedRevision: before?.revision, reason: reasonOf(record) });
  }
  for (const [key, { revision }] of stored) {
    if (wanted.has(key)) continue;
    changes.push({ kind: 'delete-net', key, expectedRevision: revision, reason: 'nobody uses its addresses any more' });
  }
  return changes.map((action) => [action]);
}

function reasonOf(record: NetRecord): string {
  if (record.kind === 'vip') return `${record.serviceName} is reached at ${record.address}`;
  return `tasks of network ${record.network.name} on this node have addresses of ${record.subnets.join(', ')}`;
}
