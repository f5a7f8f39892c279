/** Small valid records for tests that do not care what is in them. */
import type { ClaimRecord, NetRecord } from '../../model/records.ts';
import { derivedId } from '../../runtime/identifiers.ts';

export function aClaim(ownerName: string): ClaimRecord {
  return { v: 1, ownerId: derivedId('owner', ownerName), ownerName };
}

export function aSubnet(value: string, epoch = 1): NetRecord {
  return { v: 1, epoch, kind: 'subnet', value };
}
