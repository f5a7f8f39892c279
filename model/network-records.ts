/** Networks of the cluster: the wish, what the leader allocates for it, and what agents say of their own tasks on it. */
import { z } from 'zod';
import { FormatVersion, Id } from './record-format.ts';

/** The driver option that says how many bytes a packet of the network may have; all other options are refused. */
export const MTU_OPTION = 'com.docker.network.driver.mtu';
/** The driver option that has what goes between nodes encrypted: `--opt encrypted`, without a value or with "true". */
export const ENCRYPTED_OPTION = 'encrypted';

const Epoch = z.int().min(0);
const Labels = z.record(z.string(), z.string());

/** plim_spec `network.<id>`: an overlay network as it was wished. Nothing of it changes after its creation. */
export const NetworkRecord = z.object({
  v: FormatVersion,
  id: Id,
  name: z.string(),
  labels: Labels,
  /** Driver options as given; only those `coordinator/wishes/network-rules.ts` knows get in. */
  options: Labels,
  /** Its tasks reach nothing but each other (and the resolver). */
  internal: z.boolean(),
  /** Containers that are no tasks might join, as far as the wish goes: the cluster runs none, so it changes nothing. */
  attachable: z.boolean().optional(),
  /** The range its nodes' subnets are cut from; absent = the cluster's pool. */
  subnet: z.cidrv4().optional(),
  createdAtMs: z.number(),
});
export type NetworkRecord = z.infer<typeof NetworkRecord>;

export function isEncrypted({ options }: Pick<NetworkRecord, 'options'>): boolean {
  return options[ENCRYPTED_OPTION] !== undefined;
}

/** What an agent has to know of a network; it travels with every subnet, so that agents need not read wishes. */
const NetworkFacts = z.object({
  id: Id,
  name: z.string(),
  internal: z.boolean(),
  /** Of the containers' interfaces; absent = what fits the node's uplink. */
  mtuBytes: z.int().optional(),
  /** Between nodes its packets go through WireGuard or not at all. */
  encrypted: z.boolean().optional(),
});
export type NetworkFacts = z.infer<typeof NetworkFacts>;

/** plim_net `subnet.<network>.<node>`: the address ranges of a network on a node, the first one made first. */
export const SubnetRecord = z.object({
  v: FormatVersion,
  epoch: Epoch,
  kind: z.literal('subnet'),
  network: NetworkFacts,
  nodeId: Id,
  /** Where the other nodes send packets for these ranges. */
  nodeAddress: z.ipv4(),
  subnets: z.array(z.cidrv4()).min(1),
  /** What a wrapped packet may carry, so that it fits through every node's uplink; absent = not known. */
  tunnelMtuBytes: z.int().min(1).optional(),
  /** The node's public WireGuard key, of encrypted networks alone; absent = the node announces none. */
  wireguardKey: z.string().optional(),
  /** Since when nobody on the node uses them. */
  idleSinceMs: z.number().optional(),
});
export type SubnetRecord = z.infer<typeof SubnetRecord>;

/** plim_net `vip.<network>.<service>`: the one address a service has on a network, and the names it goes by there. */
export const VipRecord = z.object({
  v: FormatVersion,
  epoch: Epoch,
  kind: z.literal('vip'),
  networkId: Id,
  serviceId: Id,
  serviceName: z.string(),
  aliases: z.array(z.string()),
  address: z.ipv4(),
});
export type VipRecord = z.infer<typeof VipRecord>;

export const NetRecord = z.discriminatedUnion('kind', [SubnetRecord, VipRecord]);
export type NetRecord = z.infer<typeof NetRecord>;

/** The key of a record in plim_net. */
export function netKey(record: NetRecord): string {
  return record.kind === 'subnet'
    ? `subnet.${record.network.id}.${record.nodeId}`
    : `vip.${record.networkId}.${record.serviceId}`;
}

/** A task that may get traffic, on one network. */
export const NetworkEndpoint = z.object({
  taskId: Id,
  serviceId: Id,
  serviceName: z.string(),
  /** 0 for tasks of global services. */
  slot: z.int().min(0),
  /** Names it goes by on this network beside its service's and its slot's. */
  aliases: z.array(z.string()),
  address: z.ipv4(),
});
export type NetworkEndpoint = z.infer<typeof NetworkEndpoint>;

/** plim_endpoint `<network>.<node>`: who of a network is on a node, said by its agent. */
export const EndpointRecord = z.object({
  v: FormatVersion,
  networkId: Id,
  nodeId: Id,
  /** Ready tasks. */
  endpoints: z.array(NetworkEndpoint),
  /** Every address a member of the network on this node sends from, those on its other networks included. */
  members: z.array(z.ipv4()),
});
export type EndpointRecord = z.infer<typeof EndpointRecord>;
