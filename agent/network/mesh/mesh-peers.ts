/** With which of the announced nodes the mesh of this host speaks. Pure. */
import type { MeshRecord } from '../../../model/mesh-record.ts';
import { holds, ipv4Range } from '../../../runtime/ipv4.ts';
import type { MeshPeer } from '../ingress-table.ts';
import { tunnelMac } from '../overlay/overlay-names.ts';
import type { PeerNumbers } from './peer-numbers.ts';

/** The kernel takes no way to these, and where it refuses one line it takes none of the others. */
const neverAHost = ['0.0.0.0/8', '127.0.0.0/8', '169.254.42.42/32', '224.0.0.0/4', '255.255.255.255/32'].map(ipv4Range);

/** Whether packets of other hosts can be sent there. */
export function isHostAddress(address: string): boolean {
  return !neverAHost.some((range) => holds(range, address));
}

/**
 * The others by number, without those that cannot be reached: by the address they announce, or because nobody but this host
 * has it. Where a host was set up anew under its address, the one with ready tasks counts, else the one listed last.
 */
export function meshPeers(ownAddress: string, others: readonly MeshRecord[], numbers: PeerNumbers): MeshPeer[] {
  const byAddress = new Map<string, MeshRecord>();
  for (const record of others) {
    const known = byAddress.get(record.address);
    if (known === undefined || known.ports.length === 0 || record.ports.length > 0)
      byAddress.set(record.address, record);
  }
  const peers = [...byAddress.values()].flatMap(({ nodeId, address, ports }) => {
    const number = numbers[nodeId];
    if (number === undefined || address === ownAddress || !isHostAddress(address)) return [];
    return [{ nodeId, number, address, mac: tunnelMac(nodeId), ports }];
  });
  return peers.sort((a, b) => a.number - b.number);
}
