/**
 * What of a host's overlay goes encrypted: packets from or to an address of an encrypted network, between hosts that both have
 * tasks on it. Pure.
 */
import type { SubnetRecord } from '../../../model/network-records.ts';
import { VXLAN_OVERHEAD_BYTES, WIREGUARD_OVERHEAD_BYTES } from '../../../model/network-tunnel.ts';

/** Another node on an encrypted network of this one. */
export interface EncryptedPeer {
  readonly address: string;
  /** Its public WireGuard key, base64. */
  readonly publicKey: string;
  /** Ranges of the encrypted networks both are on. */
  readonly subnets: readonly string[];
  /**
   * All its ranges: a task on two networks sends from either address, and has answers sent there. WireGuard takes nothing
   * from a peer that comes from elsewhere.
   */
  readonly allSubnets: readonly string[];
}

export interface EncryptionPlan {
  /** Ranges of this host's encrypted networks, on all nodes. */
  readonly subnets: readonly string[];
  /** Those of them that are this host's own. */
  readonly ownSubnets: readonly string[];
  /** Without nodes that announce no key: nothing is sent to them, and nothing taken from them. */
  readonly peers: readonly EncryptedPeer[];
}

/** How much less than through the tunnel fits into a packet. */
export function encryptionBytes(encrypted: boolean): number {
  return encrypted ? WIREGUARD_OVERHEAD_BYTES - VXLAN_OVERHEAD_BYTES : 0;
}

/** Undefined while no encrypted network has a range here. `others` are ranges of nodes packets can be sent to. */
export function planEncryption(
  own: readonly SubnetRecord[],
  others: readonly SubnetRecord[],
): EncryptionPlan | undefined {
  const ownEncrypted = own.filter(({ network }) => network.encrypted);
  if (ownEncrypted.length === 0) return undefined;
  const networkIds = new Set(ownEncrypted.map(({ network }) => network.id));
  const shared = others.filter(({ network }) => networkIds.has(network.id));
  const ownSubnets = ownEncrypted.flatMap(({ subnets }) => subnets);
  return {
    subnets: [...ownSubnets, ...shared.flatMap(({ subnets }) => subnets)],
    ownSubnets,
    peers: peersOf(shared, others),
  };
}

function peersOf(shared: readonly SubnetRecord[], others: readonly SubnetRecord[]): EncryptedPeer[] {
  const peers = new Map<string, EncryptedPeer & { subnets: string[] }>();
  for (const { nodeId, nodeAddress: address, wireguardKey: publicKey, subnets } of shared) {
    if (publicKey === undefined) continue;
    const allSubnets = others.filter((other) => other.nodeId === nodeId).flatMap((other) => other.subnets);
    const peer = peers.get(nodeId) ?? { address, publicKey, subnets: [], allSubnets };
    peer.subnets.push(...subnets);
    peers.set(nodeId, peer);
  }
  return [...peers.values()];
}
