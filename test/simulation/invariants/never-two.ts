/**
 * Of a slot of a service with `plimsoll.failover.on-disconnect=stop` never two containers run, of whatever revision: not
 * where hosts are cut off, not where leaders change. Nobody can promise it for a host whose agent itself is gone or frozen
 * when it should stop its tasks, nor once the records that tell of them are lost.
 */
import { failoverPolicy } from '../../../model/service-policy.ts';
import { records } from '../befall.ts';
import { described } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';

/** How long a helpless host or lost records explain what happens. */
const EXPLAINED_MS = 60_000;

export const neverTwo: InvariantMaker = ({ world, truth }) => ({
  name: 'never two',
  onContainer: (host, { action }, container) => {
    if (action !== 'start') return undefined;
    const service = truth.service(container.serviceId);
    if (failoverPolicy(service?.spec.Labels).onDisconnect === 'keep') return undefined;
    const [other] = truth.besides(host, container);
    if (!other) return undefined;
    const sinceMs = world.time.nowMs - EXPLAINED_MS;
    if (world.disturbances.since(sinceMs, records) || world.helpless.since(sinceMs, host, other.host)) return undefined;
    return `${described(container, host)} started while ${described(other, other.host)} runs, of a service that stops when cut off`;
  },
});
