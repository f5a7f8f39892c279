/** Services that exist for people: a removed one vanishes at once, though its tasks still stop. Pure. */
import type { Entry } from '../../bus/bus.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { Snapshot } from './snapshot.ts';

export function liveServices(snapshot: Pick<Snapshot, 'services'>): Entry<ServiceRecord>[] {
  return [...snapshot.services.values()].filter(({ value }) => value.removedAtMs === undefined);
}

export function liveServicesByName(snapshot: Pick<Snapshot, 'services'>): ServiceRecord[] {
  return liveServices(snapshot)
    .map(({ value }) => value)
    .sort((left, right) => left.spec.Name.localeCompare(right.spec.Name));
}
