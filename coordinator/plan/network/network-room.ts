/**
 * Whether a node has an address left for one more task of a network: in the ranges it has, or in one more that the network
 * can still give. What a plan places takes its share before the ranges are given out. Pure.
 */

import { nodePoolText } from '../../../model/address-pools.ts';
import { isEncrypted, type NetworkRecord, type SubnetRecord } from '../../../model/network-records.ts';
import { overlayAttachments } from '../../../model/overlay-attachments.ts';
import type { TaskTemplate } from '../../../model/service-spec.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { NodeUse, Occupancy } from '../occupancy.ts';
import { AddressSpace, containersIn } from './address-space.ts';

/** One network a task is to be on, as far as its addresses may run out. */
export interface NetworkRoom {
  /** "back (10.50.0.0/27: 4 ranges of 5 addresses)" */
  readonly text: string;
  /** Whether the node has an address for one more task. */
  hasAddress(use: NodeUse): boolean;
  /**
   * Ranges that are left for whoever needs one more: some (1), none (0), or fewer than are wanted already (-1). A task that
   * is placed changes the answer of other nodes only when this changes.
   */
  supply(): number;
  /** Addresses the node has been given. */
  addressesOf(nodeId: string): number;
}

export class NetworkRooms {
  private readonly snapshot: Pick<Snapshot, 'nets' | 'networks'>;
  private space: AddressSpace | undefined;

  constructor(snapshot: Pick<Snapshot, 'nets' | 'networks'>) {
    this.snapshot = snapshot;
  }

  /** The networks of a template that may run out of addresses while so many tasks are placed on so many nodes. */
  of(
    template: TaskTemplate,
    occupancy: Occupancy,
    most: { readonly tasks: number; readonly nodes: number },
  ): NetworkRoom[] {
    const attachments = overlayAttachments(template);
    if (attachments.length === 0) return [];
    const space = this.addresses();
    return attachments.flatMap(({ Target }) => {
      const network = this.snapshot.networks.get(Target)?.value;
      if (network === undefined || space === undefined) return [];
      const room = new Room({ network, occupancy, free: space.freeRanges(network), given: this.givenOf });
      return room.mayRunOut(most) ? [room] : [];
    });
  }

  /** Names of the encrypted networks of a template: only nodes that can encrypt take its tasks. */
  encryptedOf(template: TaskTemplate): string[] {
    return overlayAttachments(template).flatMap(({ Target }) => {
      const network = this.snapshot.networks.get(Target)?.value;
      return network && isEncrypted(network) ? [network.name] : [];
    });
  }

  /** Undefined while a record cannot be read: who gives addresses out says so, and tasks are placed meanwhile. */
  private addresses(): AddressSpace | undefined {
    try {
      this.space ??= new AddressSpace([...this.snapshot.nets.values()].map(({ value }) => value));
      return this.space;
    } catch {
      return undefined;
    }
  }

  private readonly givenOf = (networkId: string, nodeId: string): number => {
    const known = this.snapshot.nets.get(`subnet.${networkId}.${nodeId}`)?.value;
    return known?.kind === 'subnet' ? addressesIn(known) : 0;
  };
}

interface RoomParts {
  readonly network: NetworkRecord;
  readonly occupancy: Occupancy;
  /** Ranges the network can still give. */
  readonly free: number;
  /** Addresses a node has of a network. */
  readonly given: (networkId: string, nodeId: string) => number;
}

class Room implements NetworkRoom {
  readonly text: string;
  private readonly parts: RoomParts;
  private readonly rangeAddresses: number;
  /** By node, and their sum, as of so many of the occupancy's changes: a look at all nodes per task would be too much. */
  private readonly claims = new Map<string, number>();
  private claimed = 0;
  private changesSeen = -1;

  constructor(parts: RoomParts) {
    const { network } = parts;
    const { ranges, addresses } = AddressSpace.sizesOf(network);
    this.parts = parts;
    this.rangeAddresses = addresses;
    this.text = `${network.name} (${network.subnet ?? nodePoolText}: ${ranges} ranges of ${addresses} addresses)`;
  }

  mayRunOut({ tasks, nodes }: { readonly tasks: number; readonly nodes: number }): boolean {
    return this.left() < nodes + Math.ceil(tasks / this.rangeAddresses);
  }

  addressesOf(nodeId: string): number {
    return this.parts.given(this.parts.network.id, nodeId);
  }

  hasAddress(use: NodeUse): boolean {
    const supply = this.supply();
    // More are wanted than there are: what nodes hope for is no room.
    const hoped = supply >= 0 ? this.claimsOf(use) * this.rangeAddresses : 0;
    return supply > 0 || this.tasksOn(use) < this.addressesOf(use.nodeId) + hoped;
  }

  supply(): number {
    return Math.sign(this.left());
  }

  /** Without those the tasks placed so far will make the leader give out. */
  private left(): number {
    const { network, occupancy, free } = this.parts;
    const { changes } = occupancy;
    if (this.changesSeen < 0) {
      for (const use of occupancy.nodesOnNetwork(network.id)) this.claim(use);
      this.changesSeen = changes.length;
    }
    for (; this.changesSeen < changes.length; this.changesSeen += 1) {
      this.claim(occupancy.use(changes[this.changesSeen] ?? ''));
    }
    return free - this.claimed;
  }

  private claim(use: NodeUse): void {
    const claims = this.claimsOf(use);
    this.claimed += claims - (this.claims.get(use.nodeId) ?? 0);
    this.claims.set(use.nodeId, claims);
  }

  private claimsOf(use: NodeUse): number {
    const missing = this.tasksOn(use) - this.addressesOf(use.nodeId);
    return Math.max(0, Math.ceil(missing / this.rangeAddresses));
  }

  private tasksOn({ networks }: NodeUse): number {
    return networks.get(this.parts.network.id) ?? 0;
  }
}

function addressesIn({ subnets }: SubnetRecord): number {
  return subnets.reduce((sum, subnet) => sum + containersIn(subnet), 0);
}
