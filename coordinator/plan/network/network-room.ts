/**
 * Whether a node has an address left for one more task of a network: in the ranges it has, or in one more that the network
 * can still give. What a plan places takes its share before the ranges are given out. Pure.
 */

import { nodePoolText } from '../../../model/address-pools.ts';
import type { NetworkRecord, SubnetRecord } from '../../../model/network-records.ts';
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
  private claimed = { atChange: -1, ranges: 0 };

  constructor(parts: RoomParts) {
    const { network } = parts;
    const { ranges, addresses } = AddressSpace.sizesOf(network);
    this.parts = parts;
    this.rangeAddresses = addresses;
    this.text = `${network.name} (${network.subnet ?? nodePoolText}: ${ranges} ranges of ${addresses} addresses)`;
  }

  mayRunOut({ tasks, nodes }: { readonly tasks: number; readonly nodes: number }): boolean {
    const left = this.parts.free - this.claimedRanges();
    return left < nodes + Math.ceil(tasks / this.rangeAddresses);
  }

  addressesOf(nodeId: string): number {
    return this.parts.given(this.parts.network.id, nodeId);
  }

  hasAddress(use: NodeUse): boolean {
    const left = this.parts.free - this.claimedRanges();
    // More are wanted than there are: what nodes hope for is no room.
    const hoped = left >= 0 ? this.claimsOf(use) * this.rangeAddresses : 0;
    return this.tasksOn(use) < this.addressesOf(use.nodeId) + hoped || left > 0;
  }

  /** Ranges the tasks placed so far will make the leader give out. */
  private claimedRanges(): number {
    const { network, occupancy } = this.parts;
    if (this.claimed.atChange !== occupancy.changes.length) {
      let ranges = 0;
      for (const use of occupancy.nodesOnNetwork(network.id)) ranges += this.claimsOf(use);
      this.claimed = { atChange: occupancy.changes.length, ranges };
    }
    return this.claimed.ranges;
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
