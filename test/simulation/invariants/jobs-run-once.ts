/** A slot of a job that has ended with 0 does not run again in that run of the job, whatever becomes of its node. */
import { isJob } from '../../../model/jobs.ts';
import { everywhere, records } from '../befall.ts';
import { described } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';

/** What completed on a host in trouble may be unknown, and have a stand-in, for so long. */
const EXPLAINED_MS = 120_000;

export const jobsRunOnce: InvariantMaker = ({ world, truth }) => {
  /** Where each slot ended with 0, and in which run, by service and place. */
  const completed = new Map<string, { readonly host: string; readonly revision: number }>();
  return {
    name: 'jobs run once',
    onContainer: (host, { action }, container) => {
      if (action !== 'start' && action !== 'die') return undefined;
      const spec = truth.service(container.serviceId)?.spec;
      if (!spec || !isJob(spec)) return undefined;
      const { revision } = container;
      const place = `${container.serviceId} ${truth.placeOn(host, container.slot)}`;
      if (action === 'die') {
        if (container.exitCode === 0) completed.set(place, { host, revision });
        return undefined;
      }
      const before = completed.get(place);
      const sinceMs = world.time.nowMs - EXPLAINED_MS;
      if (before?.revision !== revision || world.disturbances.since(sinceMs, host, before.host, everywhere, records))
        return undefined;
      return `${described(container, host)} started though its slot has completed on ${before.host}`;
    },
  };
};
