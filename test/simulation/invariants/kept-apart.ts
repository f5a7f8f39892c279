/** A task that is new on its node has not come to one of a service it keeps apart from, or that keeps apart from it. */
import { everywhere, records } from '../befall.ts';
import { described } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';
import { keepApart } from './kin.ts';

/** The place was chosen within this time before. */
const EXPLAINED_MS = 120_000;

export const keptApart: InvariantMaker = ({ world, truth }) => ({
  name: 'kept apart',
  onContainer: (host, { action }, container) => {
    if (action !== 'start' || container.attempt > 1) return undefined;
    const service = truth.service(container.serviceId);
    if (!service) return undefined;
    const shunned = truth.services().filter((other) => other.id !== service.id && keepApart(service, other));
    if (shunned.length === 0) return undefined;
    const isToStay = (taskId: string) =>
      truth.tasks().some(({ id, desired }) => id === taskId && desired !== 'stopped');
    const isMet = (serviceId: string) => shunned.some(({ id }) => id === serviceId);
    const other = truth.running().find((one) => one.host === host && isMet(one.serviceId) && isToStay(one.taskId));
    if (!other || world.disturbances.since(world.time.nowMs - EXPLAINED_MS, host, everywhere, records))
      return undefined;
    return `${described(container, host)} came to where ${described(other, host)} runs, from which it is to be kept apart`;
  },
});
