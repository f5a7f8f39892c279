/**
 * At most one task of a slot and revision runs, but for a stand-in: another one may start beside it while one of the two
 * hosts was in trouble lately, while records were lost, or where the service starts new tasks first. Of two revisions both
 * run only in these cases.
 */
import { everywhere, records } from '../befall.ts';
import { described } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';

/** A stand-in is made, and stopped again, within this time of the trouble: see SURGE_RETURN_MS and ENGINE_PATIENCE_MS. */
const EXPLAINED_MS = 120_000;

export const oneTaskPerSlot: InvariantMaker = ({ world, truth }) => ({
  name: 'one task per slot',
  onContainer: (host, { action }, container) => {
    if (action !== 'start') return undefined;
    const service = truth.service(container.serviceId);
    if (service?.spec.UpdateConfig?.Order === 'start-first') return undefined;
    const other = truth.besides(host, container).find(({ taskId }) => taskId !== container.taskId);
    if (!other) return undefined;
    const sinceMs = world.time.nowMs - EXPLAINED_MS;
    if (world.disturbances.since(sinceMs, host, other.host, everywhere, records)) return undefined;
    return `${described(container, host)} started while ${described(other, other.host)} of the same slot runs`;
  },
});
