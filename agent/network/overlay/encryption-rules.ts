/**
 * What encrypted networks add to the overlay's nft table. Between two addresses of the cluster's networks, one of them of an
 * encrypted network, packets come and go over this host's bridges and the WireGuard device, or not at all. Pure.
 */
import { INGRESS_MARK } from '../mesh/peer-numbers.ts';
import { WIREGUARD_DEVICE, WIREGUARD_PORT } from '../wireguard/wireguard-names.ts';
import { BRIDGE_PREFIX, TUNNEL_PROBE_PORT } from './overlay-names.ts';

/** Rules by the place they are put in. */
export interface EncryptionRules {
  /** Part of a rule. */
  readonly inward: string;
  readonly forward: readonly string[];
  readonly forwardEnd: readonly string[];
  readonly host: readonly string[];
  readonly source: readonly string[];
}

const BRIDGES = `"${BRIDGE_PREFIX}*"`;
const DEVICE = `"${WIREGUARD_DEVICE}"`;

/** For hosts without encrypted networks, whose packets pass no rule more than before. */
export const noRules: EncryptionRules = { inward: '', forward: [], forwardEnd: [], host: [], source: [] };

export const encryptionRules: EncryptionRules = {
  inward: `iifname ${DEVICE} goto between;`,
  forward: [
    'ip saddr @encrypted jump encrypted_only',
    'ip daddr @encrypted jump encrypted_only',
    `oifname ${DEVICE} tcp flags syn tcp option maxseg size set rt mtu`,
    `oifname ${DEVICE} goto inward`,
  ],
  forwardEnd: [`iifname ${DEVICE} drop`],
  host: [
    `iifname ${DEVICE} ct state established,related accept`,
    `iifname ${DEVICE} udp dport ${TUNNEL_PROBE_PORT} reject`,
    `iifname ${DEVICE} drop`,
    `ip saddr @nodes udp dport ${WIREGUARD_PORT} goto ours`,
  ],
  source: [`oifname ${DEVICE} return`],
};

/** Sets and chains of the table. */
export const encryptionParts: readonly string[] = [
  'set encrypted { type ipv4_addr; flags interval; }',
  'set space { type ipv4_addr; flags interval; }',
  // Marked and translated: to a port the cluster publishes, which the routing mesh carries as it carries every other.
  `chain encrypted_only { iifname ${BRIDGES} oifname ${DEVICE} return; iifname ${BRIDGES} oifname ${BRIDGES} return; iifname ${DEVICE} oifname ${BRIDGES} return; ct mark and ${INGRESS_MARK} == ${INGRESS_MARK} ct status dnat return; ip saddr @space ip daddr @space drop; }`,
];
