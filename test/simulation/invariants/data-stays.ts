/** A slot whose tasks use a volume runs where that volume is, unless it may begin elsewhere or its records were lost. */
import { stickyVolumes, VOLUME_MOVE_LABEL } from '../../../coordinator/plan/sticky-volumes.ts';
import { records } from '../befall.ts';
import { described } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';

export const dataStays: InvariantMaker = ({ world, truth }) => {
  /** Where each slot first ran, and when, by service and place. */
  const homes = new Map<string, { readonly host: string; readonly sinceMs: number }>();
  return {
    name: 'data stays',
    onContainer: (host, { action }, container) => {
      if (action !== 'start' || container.slot === 0) return undefined;
      const spec = truth.service(container.serviceId)?.spec;
      if (!spec || stickyVolumes(spec.TaskTemplate).length === 0) return undefined;
      if (spec.Labels?.[VOLUME_MOVE_LABEL] === 'when-needed') return undefined;
      const place = `${container.serviceId} ${container.slot}`;
      const home = homes.get(place);
      if (home && home.host !== host && !world.disturbances.since(home.sinceMs, records))
        return `${described(container, host)} started, its data is on ${home.host}`;
      homes.set(place, { host, sinceMs: home?.sinceMs ?? world.time.nowMs });
      return undefined;
    },
  };
};
