/**
 * The nft table `plimsoll_overlay` of a host. Its chains follow from the networks the host is on; everything that changes
 * with tasks lies in sets and maps, changed by element. Pure: wishes in, text for `nft -f -` out.
 *
 * A packet between containers passes if its source is a member of the network its destination belongs to, wherever it
 * came in: a task on two networks has one default route. On its own host a container is held to its addresses. A virtual
 * address leads to one of its ready tasks by chance; without one the connection is refused.
 */
import { nodePoolText, vipPoolText } from '../../../model/address-pools.ts';
import { ipv4Range, overlaps } from '../../../runtime/ipv4.ts';
import { INGRESS_MARK } from '../mesh/peer-numbers.ts';
import { baseChain, type ElementParts, type Elements, inOnePart, type RenderedTable } from '../nft-elements.ts';
import { type EncryptionRules, encryptionParts, encryptionRules, noRules } from './encryption-rules.ts';
import { BRIDGE_PREFIX, TUNNEL_PROBE_PORT, VXLAN_DEVICE, VXLAN_PORT } from './overlay-names.ts';
import { chanceChains, chanceVerdict, slotElements } from './virtual-slots.ts';

export interface OverlayTable {
  readonly networks: readonly {
    readonly id: string;
    /** Ranges of the network on all nodes. */
    readonly ranges: readonly string[];
    /** Addresses its members send from, by node. */
    readonly members: ReadonlyMap<string, readonly string[]>;
  }[];
  /** Ranges of every network on every node. */
  readonly allRanges: readonly string[];
  /** Who on this host may send as whom. */
  readonly senders: readonly { readonly mac: string; readonly address: string }[];
  /** Addresses of the other nodes. */
  readonly nodes: readonly string[];
  /** Addresses of this host's containers that may leave the cluster's networks. */
  readonly outbound: readonly string[];
  /** Addresses of one and the same container. */
  readonly selves: readonly { readonly from: string; readonly to: string }[];
  readonly services: readonly { readonly vip: string; readonly backends: readonly string[] }[];
  /** Ranges of this host's encrypted networks, on all nodes; undefined where it has none. */
  readonly encrypted: readonly string[] | undefined;
}

export const OVERLAY_TABLE = 'plimsoll_overlay';
/** The bit of a packet's mark that says "ours, and allowed"; DOCKER-USER and INPUT accept it. */
export const OVERLAY_MARK = 0x0200_0000;
const UNMARKED = 0xfdff_ffff;
/** Of one container to the resolver; one that asks more gets no answer, and the others theirs. */
export const QUESTIONS_PER_SECOND = 2_000;
export const QUESTIONS_BURST = 1_000;
const QUESTIONS = `${QUESTIONS_PER_SECOND}/second burst ${QUESTIONS_BURST} packets`;

export function renderOverlayTable(table: OverlayTable): RenderedTable {
  const frame = frameOf(
    table.networks.map(({ id }) => chainOf(id)),
    table.encrypted !== undefined,
  );
  return { name: OVERLAY_TABLE, frame, elements: elementsOf(table) };
}

function elementsOf(table: OverlayTable): Elements {
  const elements = new Map<string, ElementParts>([
    ['ranges', inOnePart(table.allRanges.filter(isOutsidePool))],
    ['senders', inOnePart(table.senders.map(({ mac, address }) => `${mac} . ${address}`))],
    ['nodes', inOnePart(table.nodes)],
    ['outbound', inOnePart(table.outbound)],
    ['selves', inOnePart(table.selves.map(({ from, to }) => `${from} . ${to}`))],
    ['virtual', new Map(table.services.map((service) => [service.vip, chanceVerdict(service)]))],
    ['backends', new Map(table.services.map((service) => [service.vip, slotElements(service)]))],
    [
      'networks',
      inOnePart(table.networks.flatMap(({ id, ranges }) => ranges.map((range) => `${range} : goto ${chainOf(id)}`))),
    ],
  ]);
  if (table.encrypted) {
    elements.set('encrypted', inOnePart(table.encrypted));
    elements.set('space', inOnePart([nodePoolText, ...table.allRanges.filter(isOutsidePool)]));
  }
  for (const { id, members } of table.networks) elements.set(membersOf(chainOf(id)), members);
  return elements;
}

/** An interval set takes no range that lies in another. */
function isOutsidePool(range: string): boolean {
  return !overlaps(ipv4Range(range), ipv4Range(nodePoolText));
}

function chainOf(networkId: string): string {
  return `net_${networkId}`;
}

/** The set of the addresses a network's members send from. */
export function membersSetOf(networkId: string): string {
  return membersOf(chainOf(networkId));
}

function membersOf(chain: string): string {
  return `of_${chain}`;
}

/** Before Docker's chains, which sit at dstnat (-100), filter (0) and srcnat (100); raw (-300) comes before conntrack. */
const PRIORITY = { senders: -310, translate: -102, filter: -10, source: 98, unmark: 150 } as const;
const BRIDGES = `"${BRIDGE_PREFIX}*"`;
const TUNNEL = `"${VXLAN_DEVICE}"`;

function frameOf(chains: readonly string[], encrypts: boolean): string {
  return [
    `table ip ${OVERLAY_TABLE} {`,
    'set ranges { type ipv4_addr; flags interval; }',
    'set senders { type ether_addr . ipv4_addr; }',
    'set nodes { type ipv4_addr; }',
    // How much each container asks: the resolver is one for all of them.
    `set askers { type ipv4_addr; flags dynamic, timeout; timeout 1m; size 65535; }`,
    'set outbound { type ipv4_addr; }',
    'set selves { type ipv4_addr . ipv4_addr; }',
    'map backends { typeof ip daddr . numgen random mod 64 : ip daddr; }',
    'map virtual { type ipv4_addr : verdict; }',
    'map networks { type ipv4_addr : verdict; flags interval; }',
    ...chains.map((chain) => `set ${membersOf(chain)} { type ipv4_addr; }`),
    'chain ours { meta mark set meta mark or ' + OVERLAY_MARK + '; accept; }',
    ...chains.map((chain) => `chain ${chain} { ip saddr @${membersOf(chain)} goto ours; drop; }`),
    ...chanceChains('backends'),
    ...(encrypts ? encryptionParts : []),
    ...fixedChains(encrypts ? encryptionRules : noRules),
    '}',
  ].join('\n');
}

/**
 * These rules are asked of every packet, and a device's name costs the kernel several times what a number or an address does:
 * a rule asks for names last, of the few packets that have all else.
 */
const fixedChains = (encryption: EncryptionRules): readonly string[] => [
  'chain between { ip daddr vmap @networks; drop; }',
  // What the node itself published (Docker's host ports, our ingress ports) comes in translated.
  `chain inward { ct state established,related goto ours; ct mark and ${INGRESS_MARK} == ${INGRESS_MARK} ct status dnat goto published; iifname ${BRIDGES} goto between; ${encryption.inward} iifname ${TUNNEL} goto between; ct status dnat accept; drop; }`,
  // To a port the cluster publishes: from outside, from another node, from a container that may leave its networks.
  `chain published { iifname ${BRIDGES} ip saddr != @outbound drop; goto ours; }`,
  `chain outward { ct state established,related goto ours; ip daddr ${vipPoolText} reject; ip saddr @outbound goto ours; reject with icmp type admin-prohibited; }`,
  `chain confined { ct state established,related accept; drop; }`,
  baseChain('senders_only', `filter hook prerouting priority ${PRIORITY.senders}`, [
    // What came wrapped in a packet of ours is not ours for that.
    `meta mark and ${OVERLAY_MARK} != 0 iifname ${TUNNEL} meta mark set meta mark and ${UNMARKED}`,
    `iifname ${BRIDGES} ether saddr . ip saddr != @senders drop`,
  ]),
  baseChain('translate', `nat hook prerouting priority ${PRIORITY.translate}`, [
    `iifname ${BRIDGES} ip daddr ${vipPoolText} ip daddr vmap @virtual`,
  ]),
  baseChain('forward', `filter hook forward priority ${PRIORITY.filter}`, [
    ...encryption.forward,
    `tcp flags syn oifname ${TUNNEL} tcp option maxseg size set rt mtu`,
    `oifname ${BRIDGES} goto inward`,
    `oifname ${TUNNEL} goto inward`,
    `iifname ${BRIDGES} goto outward`,
    // Replies on their way out of the routing mesh, and connections it brings to containers on the engine's own bridges.
    `iifname ${TUNNEL} ct state established,related goto ours`,
    `iifname ${TUNNEL} ct status dnat accept`,
    `iifname ${TUNNEL} drop`,
    ...encryption.forwardEnd,
  ]),
  baseChain('host', `filter hook input priority ${PRIORITY.filter}`, [
    ...encryption.host,
    // Most of what a host is sent, so it is asked first.
    `udp dport ${VXLAN_PORT} ip saddr @nodes iifname != ${TUNNEL} goto ours`,
    `iifname ${TUNNEL} ct state established,related accept`,
    `iifname ${TUNNEL} udp dport ${TUNNEL_PROBE_PORT} reject`,
    `iifname ${TUNNEL} drop`,
    `iifname ${BRIDGES} udp dport 53 update @askers { ip saddr limit rate over ${QUESTIONS} } drop`,
    `iifname ${BRIDGES} meta l4proto { tcp, udp } th dport 53 goto ours`,
    `iifname ${BRIDGES} ip saddr != @outbound goto confined`,
  ]),
  baseChain('source', `nat hook postrouting priority ${PRIORITY.source}`, [
    // A task that calls its own service and is the one whose turn it is.
    'ct status dnat ip saddr . ip daddr @selves masquerade',
    `oifname ${BRIDGES} return`,
    `oifname ${TUNNEL} return`,
    ...encryption.source,
    `ip saddr ${nodePoolText} masquerade`,
    'ip saddr @ranges masquerade',
  ]),
  // The encapsulated packet is the same one to the kernel: it must not pass for ours once more.
  baseChain('unmark', `filter hook postrouting priority ${PRIORITY.unmark}`, [
    `meta mark and ${OVERLAY_MARK} != 0 oifname ${TUNNEL} meta mark set meta mark and ${UNMARKED}`,
  ]),
];
