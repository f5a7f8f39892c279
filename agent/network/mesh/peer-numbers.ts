/**
 * Small numbers for the other nodes, which fit into the marks of packets and connections. A node keeps its number: the
 * marks of connections that are open name it. Pure.
 */

/** The bits of a mark that hold the number of a node; 0 = none. */
export const PEER_MASK = 0x00ff_f000;
const PEER_SHIFT = 12;
const HIGHEST_NUMBER = PEER_MASK >> PEER_SHIFT;

export type PeerNumbers = Readonly<Record<string, number>>;

/** The bit that says a mark is ours: of a connection, that we translated it; DOCKER-USER accepts that. */
export const INGRESS_MARK = 0x0100_0000;
/**
 * The bits of a packet's mark that are looked at. Without our own, a mark of WireGuard (0xca6c), kube-proxy (0x4000) or
 * Tailscale (0x40000) would name a node.
 */
export const PACKET_MASK = INGRESS_MARK + PEER_MASK;

/** The mark of packets that go to a node. */
export function packetMark(number: number): number {
  return INGRESS_MARK + (number << PEER_SHIFT);
}

/**
 * A number for each node. Nodes that are gone keep theirs until numbers run out; nodes beyond the last number get none and
 * take no part in the mesh of this host.
 */
export function numberPeers(known: PeerNumbers, nodeIds: readonly string[]): PeerNumbers {
  const newcomers = nodeIds.filter((id) => known[id] === undefined);
  const isCramped = Object.keys(known).length + newcomers.length > HIGHEST_NUMBER;
  const present = new Set(nodeIds);
  const kept = Object.entries(known).filter(([id]) => !isCramped || present.has(id));
  const numbers = Object.fromEntries(kept);
  const taken = new Set(Object.values(numbers));
  let next = 1;
  for (const id of newcomers) {
    while (taken.has(next)) next += 1;
    if (next > HIGHEST_NUMBER) break;
    numbers[id] = next;
    taken.add(next);
  }
  return numbers;
}
