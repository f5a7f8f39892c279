/** The whole overlay of a host as it should be: bridges, tunnels, tables, names, and what to tell the others. Pure. */
import type { EndpointRecord, NetworkEndpoint, SubnetRecord } from '../../../model/network-records.ts';
import { groupBy } from '../../../runtime/group-by.ts';
import { gatewayOf } from '../../../runtime/ipv4.ts';
import type { Zone } from '../../dns/zone.ts';
import { isHostAddress } from '../mesh/mesh-peers.ts';
import { type EncryptionPlan, encryptionBytes, planEncryption } from '../wireguard/plan-encryption.ts';
import { bridgeDevice, containerMac, engineNetworkName, tunnelMac } from './overlay-names.ts';
import type { OverlayTable } from './overlay-table.ts';
import type { LocalTask, MeshReach, OverlayView } from './overlay-view.ts';
import { type Endpoints, planZone } from './plan-zone.ts';

/** A bridge of this host, made by the engine. */
export interface BridgeWish {
  readonly networkId: string;
  readonly networkName: string;
  readonly engineNetwork: string;
  readonly device: string;
  readonly subnet: string;
  readonly gateway: string;
  /** Absent = what the uplink carries. */
  readonly mtuBytes: number | undefined;
  /** Its packets are wrapped in more. */
  readonly encrypted: boolean;
}

/** Another node, and the ranges behind it. */
export interface Peer {
  readonly address: string;
  readonly mac: string;
  readonly subnets: readonly string[];
  /** What marks call it, see mesh/peer-numbers.ts; undefined outside the routing mesh. */
  readonly number?: number;
}

export interface TunnelPlan {
  readonly localAddress: string;
  readonly mac: string;
  /** What every node of the cluster can take; undefined = as much as this host's own uplink carries. */
  readonly mtuLimitBytes: number | undefined;
}

export interface OverlayPlan {
  /** This node's own part; undefined while it has none. */
  readonly tunnel: TunnelPlan | undefined;
  readonly bridges: readonly BridgeWish[];
  readonly peers: readonly Peer[];
  /** Undefined while no encrypted network has a task here. */
  readonly encryption: EncryptionPlan | undefined;
  readonly table: OverlayTable;
  /** What names stand for. Thought out when asked: it takes longer than all else, and the kernel need not wait for it. */
  readonly zone: () => Zone;
  /** This node's own records, one per network with a task here. */
  readonly announcements: readonly EndpointRecord[];
}

export function planOverlay(view: OverlayView): OverlayPlan {
  const ranges = view.nets.filter((record) => record.kind === 'subnet');
  const own = ranges.filter(({ nodeId }) => nodeId === view.nodeId);
  const [first] = own;
  const localAddress = first?.nodeAddress ?? view.mesh?.address;
  const mtuLimitBytes = ranges.find(({ tunnelMtuBytes }) => tunnelMtuBytes !== undefined)?.tunnelMtuBytes;
  const announcements = announcementsOf(view);
  const told = view.endpoints.filter(({ nodeId }) => nodeId !== view.nodeId);
  const known = [...told, ...announcements];
  const endpoints = endpointsByNetwork(known);
  // Where the kernel refuses one address it takes none of the others.
  const isReachable = ({ nodeId, nodeAddress }: SubnetRecord) =>
    nodeId !== view.nodeId && nodeAddress !== localAddress && isHostAddress(nodeAddress);
  const others = first ? ranges.filter(isReachable) : [];
  const encryption = planEncryption(own, others);
  const inClear = encryption
    ? others.filter(({ subnets }) => !subnets.some((each) => encryption.subnets.includes(each)))
    : others;
  const peers = peersOf(inClear, view.mesh);
  const nodes = new Set([...peers, ...(encryption?.peers ?? [])].map(({ address }) => address));
  return {
    tunnel: localAddress === undefined ? undefined : { localAddress, mac: tunnelMac(view.nodeId), mtuLimitBytes },
    bridges: own.flatMap(bridgesOf),
    peers,
    encryption,
    table: { ...tableOf(view, ranges, known, endpoints), nodes: [...nodes], encrypted: encryption?.subnets },
    zone: () => planZone(view, endpoints),
    announcements,
  };
}

export function bridgesOf({ network, subnets, tunnelMtuBytes }: SubnetRecord): BridgeWish[] {
  const encrypted = network.encrypted ?? false;
  const fitting = tunnelMtuBytes === undefined ? undefined : tunnelMtuBytes - encryptionBytes(encrypted);
  const mtus = [network.mtuBytes, fitting].filter((mtu) => mtu !== undefined);
  return subnets.map((subnet) => ({
    networkId: network.id,
    networkName: network.name,
    engineNetwork: engineNetworkName(subnet),
    device: bridgeDevice(subnet),
    subnet,
    gateway: gatewayOf(subnet),
    mtuBytes: mtus.length > 0 ? Math.min(...mtus) : undefined,
    encrypted,
  }));
}

function peersOf(ranges: readonly SubnetRecord[], mesh: MeshReach | undefined): Peer[] {
  const peers = new Map<string, Peer & { subnets: string[] }>();
  for (const { nodeId, address, number } of mesh?.peers ?? []) {
    peers.set(nodeId, { address, mac: tunnelMac(nodeId), subnets: [], number });
  }
  for (const { nodeId, nodeAddress, subnets } of ranges) {
    const peer = peers.get(nodeId) ?? { address: nodeAddress, mac: tunnelMac(nodeId), subnets: [] };
    peer.subnets.push(...subnets);
    peers.set(nodeId, peer);
  }
  return [...peers.values()];
}

function announcementsOf({ nodeId, tasks }: OverlayView): EndpointRecord[] {
  const networks = new Set(tasks.flatMap((task) => task.addresses.map(({ networkId }) => networkId)));
  return [...networks].sort().map((networkId) => {
    const on = tasks.filter((task) => task.addresses.some((place) => place.networkId === networkId));
    const endpoints = on.filter(({ ready }) => ready).flatMap((task) => endpointsOf(task, networkId));
    const members = on.flatMap((task) => task.addresses.map(({ address }) => address));
    return { v: 1, networkId, nodeId, endpoints: endpoints.sort(byTask), members: members.sort() };
  });
}

function endpointsOf(
  { taskId, serviceId, serviceName, slot, ...task }: LocalTask,
  networkId: string,
): NetworkEndpoint[] {
  const aliases = [...(task.aliases[networkId] ?? [])];
  const places = task.addresses.filter((place) => place.networkId === networkId);
  return places.map(({ address }) => ({ taskId, serviceId, serviceName, slot, aliases, address }));
}

function byTask(a: NetworkEndpoint, b: NetworkEndpoint): number {
  return a.taskId < b.taskId ? -1 : 1;
}

function endpointsByNetwork(records: readonly EndpointRecord[]): Endpoints {
  const byNetwork = groupBy(records, ({ networkId }) => networkId);
  return new Map([...byNetwork].map(([networkId, each]) => [networkId, each.flatMap(({ endpoints }) => endpoints)]));
}

function tableOf(
  view: OverlayView,
  ranges: readonly SubnetRecord[],
  known: readonly EndpointRecord[],
  endpoints: Endpoints,
): Omit<OverlayTable, 'nodes' | 'encrypted'> {
  const own = ranges.filter(({ nodeId }) => nodeId === view.nodeId);
  const internal = new Set(own.filter(({ network }) => network.internal).map(({ network }) => network.id));
  const mayLeave = view.tasks.filter((task) => task.addresses.some(({ networkId }) => !internal.has(networkId)));
  const vips = view.nets.filter((record) => record.kind === 'vip');
  const backends = backendsOf(endpoints);
  const ids = [...new Set(own.map(({ network }) => network.id))].sort();
  return {
    networks: ids.map((id) => ({
      id,
      ranges: ranges.filter(({ network }) => network.id === id).flatMap(({ subnets }) => subnets),
      members: new Map(known.flatMap((record) => (record.networkId === id ? [[record.nodeId, record.members]] : []))),
    })),
    allRanges: ranges.flatMap(({ subnets }) => subnets),
    senders: view.tasks.flatMap(sendersOf),
    outbound: mayLeave.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
    selves: view.tasks.flatMap(selvesOf),
    services: vips.map(({ address, networkId, serviceId }) => ({
      vip: address,
      backends: backends.get(`${networkId} ${serviceId}`) ?? [],
    })),
  };
}

/** Addresses by network and service. */
function backendsOf(endpoints: Endpoints): Map<string, string[]> {
  const backends = new Map<string, string[]>();
  for (const [networkId, each] of endpoints) {
    for (const [serviceId, tasks] of groupBy(each, (endpoint) => endpoint.serviceId)) {
      backends.set(
        `${networkId} ${serviceId}`,
        tasks.map(({ address }) => address),
      );
    }
  }
  return backends;
}

function selvesOf({ addresses }: LocalTask): { from: string; to: string }[] {
  return addresses.flatMap(({ address: from }) => addresses.map(({ address: to }) => ({ from, to })));
}

/** A task on two networks may send from either address over either interface: it has one default route. */
function sendersOf({ addresses }: LocalTask): { mac: string; address: string }[] {
  return addresses.flatMap(({ address: interfaceOf }) =>
    addresses.map(({ address }) => ({ mac: containerMac(interfaceOf), address })),
  );
}
