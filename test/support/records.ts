/** Small valid records for tests that do not care what is in them. */

import type { ClaimRecord } from '../../model/claim-record.ts';
import { type NetRecord, netKey } from '../../model/network-records.ts';
import { derivedId } from '../../runtime/identifiers.ts';

export function aClaim(ownerName: string): ClaimRecord {
  return { v: 1, ownerId: derivedId('owner', ownerName), ownerName };
}

/** A range of a network on node `node`, under `subnetKey(node)`. */
export function aSubnet(subnet: string, epoch = 1, node = 'b'): NetRecord {
  const network = { id: derivedId('network', 'a'), name: 'a', internal: false };
  const place = { nodeId: derivedId('node', node), nodeAddress: '192.0.2.1' };
  return { v: 1, epoch, kind: 'subnet', network, ...place, subnets: [subnet] };
}

export function subnetKey(node: string): string {
  return netKey(aSubnet('10.0.0.0/26', 1, node));
}
