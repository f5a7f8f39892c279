/** Which addresses are given to whom, and which are free. Grows while a plan allocates. */

import type { NetRecord, NetworkRecord } from '../../../model/network-records.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import {
  type Ipv4Range,
  ipv4Number,
  ipv4Range,
  ipv4Text,
  overlaps,
  rangeSize,
  rangeText,
} from '../../../runtime/ipv4.ts';
import { NODE_RANGE_PREFIX, nodePool, vipPool } from './pools.ts';

/** A network of one's own range is shared out among this many nodes at least. */
const NODES_PER_OWN_RANGE_BITS = 4;
const SMALLEST_NODE_RANGE_PREFIX = 29;
/** The network's own address, the bridge's and the broadcast address are no container's. */
const RESERVED_ADDRESSES = 3;

/** Containers a node's range has addresses for. */
export function containersIn(subnet: string): number {
  return rangeSize(ipv4Range(subnet)) - RESERVED_ADDRESSES;
}

/** How long the prefixes of a network's ranges on nodes are. */
export function nodeRangePrefix(network: Pick<NetworkRecord, 'subnet'>): number {
  if (network.subnet === undefined) return NODE_RANGE_PREFIX;
  const shared = ipv4Range(network.subnet).prefix + NODES_PER_OWN_RANGE_BITS;
  return Math.max(NODE_RANGE_PREFIX, Math.min(SMALLEST_NODE_RANGE_PREFIX, shared));
}

export class AddressSpace {
  /** Bases of ranges given out; those of the pool all have the pool's own size. */
  private readonly poolTaken = new Set<number>();
  private readonly ownTaken: Ipv4Range[] = [];
  private readonly vipsTaken = new Set<number>();

  constructor(given: Iterable<NetRecord>) {
    for (const record of given) {
      if (record.kind === 'vip') this.vipsTaken.add(ipv4Number(record.address));
      else for (const subnet of record.subnets) this.take(ipv4Range(subnet));
    }
  }

  /**
   * A free range for a network's tasks on a node; undefined when there is none left. The search begins where the two names
   * point: the same pair gets the same range again, and one that was just given back is seldom the next one given out.
   */
  allocateRange(network: NetworkRecord, nodeId: string): string | undefined {
    const range = this.freeRange(network, nodeId);
    if (range === undefined) return undefined;
    this.take(range);
    return rangeText(range);
  }

  /** How many ranges a network can give out in all, and how many containers each has addresses for. */
  static sizesOf(network: Pick<NetworkRecord, 'subnet'>): { readonly ranges: number; readonly addresses: number } {
    const prefix = nodeRangePrefix(network);
    const size = rangeSize({ base: 0, prefix });
    return { ranges: Math.floor(rangeSize(poolOf(network)) / size), addresses: size - RESERVED_ADDRESSES };
  }

  /** How many of them are not given out. */
  freeRanges(network: Pick<NetworkRecord, 'subnet'>): number {
    const pool = poolOf(network);
    const taken =
      network.subnet === undefined ? this.poolTaken.size : this.ownTaken.filter((own) => overlaps(own, pool)).length;
    return Math.max(0, AddressSpace.sizesOf(network).ranges - taken);
  }

  /** Whether a network can grow on some node. */
  hasRangeFor(network: NetworkRecord): boolean {
    return this.freeRange(network, '') !== undefined;
  }

  allocateVip(networkId: string, serviceId: string): string | undefined {
    const count = rangeSize(vipPool) - 2;
    const start = hashOf('vip', networkId, serviceId) % count;
    for (let tried = 0; tried < count; tried += 1) {
      const address = vipPool.base + 1 + ((start + tried) % count);
      if (this.vipsTaken.has(address)) continue;
      this.vipsTaken.add(address);
      return ipv4Text(address);
    }
    return undefined;
  }

  private freeRange(network: NetworkRecord, nodeId: string): Ipv4Range | undefined {
    const pool = poolOf(network);
    const prefix = nodeRangePrefix(network);
    const size = 2 ** (32 - prefix);
    const count = rangeSize(pool) / size;
    const start = hashOf('range', network.id, nodeId) % count;
    for (let tried = 0; tried < count; tried += 1) {
      const range = { base: pool.base + ((start + tried) % count) * size, prefix };
      if (!this.isTaken(range)) return range;
    }
    return undefined;
  }

  private isTaken(range: Ipv4Range): boolean {
    return this.poolTaken.has(range.base) || this.ownTaken.some((own) => overlaps(own, range));
  }

  private take(range: Ipv4Range): void {
    const isOfPool = overlaps(range, nodePool) && range.prefix === NODE_RANGE_PREFIX;
    if (isOfPool) this.poolTaken.add(range.base);
    else this.ownTaken.push(range);
  }
}

function poolOf({ subnet }: Pick<NetworkRecord, 'subnet'>): Ipv4Range {
  return subnet === undefined ? nodePool : ipv4Range(subnet);
}

/** A number that always follows from the words: the first 6 digits of an id are below 2^32. */
function hashOf(...words: readonly string[]): number {
  return Number.parseInt(derivedId(...words).slice(-6), 36);
}
