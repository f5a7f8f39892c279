/** Which services want to be on a network. Pure. */
import type { ServiceRecord } from '../../model/service-record.ts';
import { liveServices } from './live-services.ts';
import type { Snapshot } from './snapshot.ts';

/** Removed services whose tasks still stop are none. */
export function networkUsers(snapshot: Snapshot, networkId: string): ServiceRecord[] {
  return liveServices(snapshot)
    .map((entry) => entry.value)
    .filter((service) => isOn(service, networkId));
}

function isOn({ spec }: ServiceRecord, networkId: string): boolean {
  return spec.TaskTemplate.Networks?.some(({ Target }) => Target === networkId) ?? false;
}

/** Ids of all networks some service wants to be on. */
export function usedNetworks(snapshot: Snapshot): ReadonlySet<string> {
  const networks = liveServices(snapshot).flatMap(({ value }) => value.spec.TaskTemplate.Networks ?? []);
  return new Set(networks.map(({ Target }) => Target));
}
