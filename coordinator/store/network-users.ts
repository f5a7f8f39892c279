/** Which services want to be on a network. Pure. */
import type { ServiceRecord } from '../../model/records.ts';
import type { Snapshot } from './snapshot.ts';

/** Services that exist for people: of a removed one only tasks that stop are left. */
export function networkUsers(snapshot: Snapshot, networkId: string): ServiceRecord[] {
  return [...snapshot.services.values()]
    .map((entry) => entry.value)
    .filter((service) => service.removedAtMs === undefined && isOn(service, networkId));
}

function isOn({ spec }: ServiceRecord, networkId: string): boolean {
  return spec.TaskTemplate.Networks?.some(({ Target }) => Target === networkId) ?? false;
}

/** Ids of all networks some service wants to be on. */
export function usedNetworks(snapshot: Snapshot): ReadonlySet<string> {
  const live = [...snapshot.services.values()].filter(({ value }) => value.removedAtMs === undefined);
  return new Set(live.flatMap(({ value }) => (value.spec.TaskTemplate.Networks ?? []).map(({ Target }) => Target)));
}
