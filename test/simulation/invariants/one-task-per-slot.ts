/**
 * At most one task of a slot and revision runs, but for a stand-in: another one may start beside it while one of the two
 * hosts was in trouble lately or while records were lost. Of two revisions both run only in these cases, or where the
 * service starts new tasks first.
 */
import { whyNeverTwo } from '../../../coordinator/plan/update-order.ts';
import { everywhere, records } from '../befall.ts';
import { described, type RunningContainer } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';

/** A stand-in is made, and stopped again, within this time of the trouble: see SURGE_RETURN_MS and ENGINE_PATIENCE_MS. */
const EXPLAINED_MS = 120_000;

export const oneTaskPerSlot: InvariantMaker = ({ world, truth }) => ({
  name: 'one task per slot',
  onContainer: (host, { action }, container) => {
    if (action !== 'start') return undefined;
    const service = truth.service(container.serviceId);
    const isAsked = service?.spec.UpdateConfig?.Order === 'start-first';
    const startsFirst = isAsked && whyNeverTwo(service.spec) === undefined;
    const isExcused = ({ revision }: RunningContainer) => startsFirst && revision !== container.revision;
    const others = truth.besides(host, container).filter(({ taskId }) => taskId !== container.taskId);
    const other = others.find((one) => !isExcused(one));
    if (!other) return undefined;
    const sinceMs = world.time.nowMs - EXPLAINED_MS;
    if (world.disturbances.since(sinceMs, host, other.host, everywhere, records)) return undefined;
    return `${described(container, host)} started while ${described(other, other.host)} of the same slot runs`;
  },
});
