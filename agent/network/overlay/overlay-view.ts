/** What the overlay of a host is planned from: the cluster's records and the tasks of this node. */
import type { EndpointRecord, NetRecord } from '../../../model/network-records.ts';

/** A task's place on one network. */
export interface TaskAddress {
  readonly networkId: string;
  readonly address: string;
}

/** A task of this node that is on networks of the cluster. */
export interface LocalTask {
  readonly taskId: string;
  readonly serviceId: string;
  readonly serviceName: string;
  readonly slot: number;
  /** Its addresses while a container of it runs or is about to. */
  readonly addresses: readonly TaskAddress[];
  /** The names it asked for, by network. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
  /** May get new connections. */
  readonly ready: boolean;
  /** Resolvers the user asked for: where names of other worlds are looked up. */
  readonly nameservers: readonly string[];
}

/** The routing mesh wants the tunnel to nodes this one shares no network with, too. */
export interface MeshReach {
  /** This node's address. */
  readonly address: string;
  readonly peers: readonly { readonly nodeId: string; readonly address: string; readonly number: number }[];
}

export interface OverlayView {
  readonly nodeId: string;
  readonly nets: readonly NetRecord[];
  /** Of every node; this node's own are planned, not read. */
  readonly endpoints: readonly EndpointRecord[];
  readonly tasks: readonly LocalTask[];
  /** Absent while the mesh has nothing to carry. */
  readonly mesh?: MeshReach | undefined;
}
