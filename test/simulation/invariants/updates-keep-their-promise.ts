/**
 * While nothing else is wrong, an update never leaves fewer ready replicas than it promises: all of them when new tasks
 * start first, all but `parallelism` when old ones stop first. An update that overtakes another one keeps the promise of
 * whichever of the two promises less.
 */

import { whyNeverTwo } from '../../../coordinator/plan/update-order.ts';
import { isJob } from '../../../model/jobs.ts';
import { updateRules } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { UpdateConfig } from '../../../model/service-spec.ts';
import { fewestSince } from '../operator.ts';
import { isSound } from '../world/images.ts';
import { isReady, isSoundService } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';

/** After a disturbance or another wish it takes this long until the promise holds again. */
const CALM_MS = 15_000;

export const updatesKeepTheirPromise: InvariantMaker = ({ world, operator, truth }) => {
  /** How many replicas each service had when it last had all of them at one revision, and the least promised since. */
  const steady = new Map<string, { readonly replicas: number; readonly least: number }>();
  const isSettling = (service: ServiceRecord) => {
    const wished = operator.wishedOf(service.id);
    const isScaled = !wished || Number.isFinite(fewestSince(wished, world.time.nowMs - CALM_MS));
    return isScaled || wished.removalAsked || service.removedAtMs !== undefined || !wasAlwaysSound(service);
  };
  return {
    name: 'updates keep their promise',
    eachSecond: () => {
      if (world.disturbances.anySince(world.time.nowMs - CALM_MS)) {
        steady.clear();
        return undefined;
      }
      for (const service of truth.services()) {
        if (isJob(service.spec)) continue;
        const replicas = truth.replicasOf(service);
        const ready = truth.runningOf(service.id).filter((one) => isReady(one) && isSound(one.image));
        const isWhole = ready.length >= replicas && ready.every(({ revision }) => revision === service.revision);
        const before = steady.get(service.id);
        const least = Math.min(before?.least ?? replicas, promised(service, replicas));
        // A change taken back changes the count as well.
        if (isSettling(service) || (!isWhole && before?.replicas !== replicas)) steady.delete(service.id);
        else steady.set(service.id, { replicas, least: isWhole ? replicas : least });
        if (!isWhole && steady.has(service.id) && ready.length < least)
          return `${service.spec.Name} has ${ready.length} ready replicas: its update promises ${least} of ${replicas}`;
      }
      return undefined;
    },
  };
};

/** Whether all it was updated to can become ready: no promise covers an update that cannot, nor the way back from it. */
function wasAlwaysSound(service: ServiceRecord): boolean {
  if (!isSoundService(service)) return false;
  return service.revisions.every(({ taskTemplate }) => isSound(taskTemplate.ContainerSpec.Image));
}

/** A way back begins where the update it takes back has come to. */
function promised({ change, spec }: ServiceRecord, replicas: number): number {
  const order = whyNeverTwo(spec) === undefined ? {} : { Order: 'stop-first' as const };
  const forth = promisedBy({ ...spec.UpdateConfig, ...order }, replicas);
  return change === 'rollback' ? Math.min(forth, promisedBy({ ...spec.RollbackConfig, ...order }, replicas)) : forth;
}

function promisedBy(config: UpdateConfig, replicas: number): number {
  const { order, parallelism } = updateRules(config);
  if (order === 'start-first') return replicas;
  return parallelism === 0 ? 0 : Math.max(0, replicas - parallelism);
}
