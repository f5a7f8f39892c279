/** The virtual addresses services have. Pure. */
import type { VipRecord } from '../../model/network-records.ts';
import type { Snapshot } from './snapshot.ts';

/** The virtual address of a service on a network; undefined where it has none. */
export function vipOf(snapshot: Snapshot, networkId: string, serviceId: string): VipRecord | undefined {
  const record = snapshot.nets.get(`vip.${networkId}.${serviceId}`)?.value;
  return record?.kind === 'vip' ? record : undefined;
}
