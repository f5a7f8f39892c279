/**
 * The nft table `plimsoll_traffic`: counts connections where they reach a container of this host. It decides nothing, so a
 * host that refuses it serves all the same. Pure.
 *
 * A chain of type nat is called for the first packet of a connection and for no other, after every translation of its
 * destination: one more element or one higher counter is one connection, whatever it was addressed to. Elements come with
 * the first connection and go after a while without any; every set is bounded.
 */
import { nodePoolText } from '../../../model/address-pools.ts';
import { ipv4Range, overlaps } from '../../../runtime/ipv4.ts';
import { baseChain, chain, inOnePart, type RenderedTable } from '../nft-elements.ts';
import { BRIDGE_PREFIX } from '../overlay/overlay-names.ts';

export interface TrafficTable {
  /** Bridges of the engine's own that containers of ours hang on; those of networks are known by their names. */
  readonly bridges: readonly string[];
  /** Ranges of networks on all nodes: who calls from one of these is a container. */
  readonly ranges: readonly string[];
}

export const TRAFFIC_TABLE = 'plimsoll_traffic';
/** By the address that is called. */
export const CONNECTIONS_SET = 'connections';
/** By the addresses of caller and called, where both are on networks of the cluster. */
export const CALLS_SET = 'calls';
/** By the address that is called from anywhere else. */
export const OUTSIDE_SET = 'outside';

/** Before ours and Docker's chains that translate sources (98 to 100): after one of them the others are not asked. */
const PRIORITY = 90;
const FORGOTTEN_AFTER = '10m';
const ADDRESSES_AT_MOST = 8_192;
const PAIRS_AT_MOST = 8_192;

export function renderTrafficTable({ bridges, ranges }: TrafficTable): RenderedTable {
  return {
    name: TRAFFIC_TABLE,
    frame,
    elements: new Map([
      [
        'bridges',
        inOnePart(bridges.filter((device) => !device.startsWith(BRIDGE_PREFIX)).map((device) => `"${device}"`)),
      ],
      ['ranges', inOnePart([nodePoolText, ...ranges.filter(isOutsidePool)])],
    ]),
  };
}

/** An interval set takes no range that lies in another. */
function isOutsidePool(range: string): boolean {
  return !overlaps(ipv4Range(range), ipv4Range(nodePoolText));
}

const frame = [
  `table ip ${TRAFFIC_TABLE} {`,
  'set bridges { type ifname; }',
  'set ranges { type ipv4_addr; flags interval; }',
  `set ${CONNECTIONS_SET} { type ipv4_addr; flags dynamic, timeout; timeout ${FORGOTTEN_AFTER}; size ${ADDRESSES_AT_MOST}; }`,
  `set ${OUTSIDE_SET} { type ipv4_addr; flags dynamic, timeout; timeout ${FORGOTTEN_AFTER}; size ${ADDRESSES_AT_MOST}; }`,
  `set ${CALLS_SET} { type ipv4_addr . ipv4_addr; flags dynamic, timeout; timeout ${FORGOTTEN_AFTER}; size ${PAIRS_AT_MOST}; }`,
  chain('count', [
    `update @${CONNECTIONS_SET} { ip daddr counter }`,
    `ip saddr @ranges update @${CALLS_SET} { ip saddr . ip daddr counter }`,
    `ip saddr != @ranges update @${OUTSIDE_SET} { ip daddr counter }`,
  ]),
  chain('to_container', [
    'meta l4proto != { tcp, udp, sctp } return',
    'ct status dnat goto count',
    // Straight from this host: probes and scrapes, nobody's traffic.
    'fib saddr type local return',
    'goto count',
  ]),
  baseChain('leaving', `nat hook postrouting priority ${PRIORITY}`, [
    `oifname "${BRIDGE_PREFIX}*" goto to_container`,
    'oifname @bridges goto to_container',
  ]),
  '}',
].join('\n');
