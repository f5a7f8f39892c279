/**
 * While nothing else is wrong, an update never leaves fewer ready replicas than it promises: all of them when new tasks
 * start first, all but `parallelism` when old ones stop first. Of an update that overtakes another one nothing is asked yet:
 * it counts its own tasks only, as Swarm's does, and leaves those of the one before out of account (seed 272).
 */

import type { ServiceRecord } from '../../../model/records.ts';
import { updateRules } from '../../../model/service-defaults.ts';
import { fewestSince } from '../operator.ts';
import { isSound } from '../world/images.ts';
import { isReady, isSoundService } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';

/** After a disturbance or another wish it takes this long until the promise holds again. */
const CALM_MS = 15_000;

export const updatesKeepTheirPromise: InvariantMaker = ({ world, operator, truth }) => {
  /** How many replicas each service had, and at which revision, when it last had all of them at one. */
  const steady = new Map<string, { readonly replicas: number; readonly revision: number }>();
  const isOtherwise = ({ id, revision }: ServiceRecord, replicas: number) => {
    const before = steady.get(id);
    return before !== undefined && (before.replicas !== replicas || revision > before.revision + 1);
  };
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
      const running = truth.running();
      for (const service of truth.services()) {
        const replicas = truth.replicasOf(service);
        const ready = running.filter((one) => one.serviceId === service.id && isReady(one) && isSound(one.image));
        const isWhole = ready.length >= replicas && ready.every(({ revision }) => revision === service.revision);
        // A change taken back changes the count as well.
        if (isSettling(service) || (!isWhole && isOtherwise(service, replicas))) steady.delete(service.id);
        else if (isWhole) steady.set(service.id, { replicas, revision: service.revision });
        else if (steady.has(service.id) && ready.length < promised(service, replicas))
          return `${service.spec.Name} has ${ready.length} ready replicas: its update promises ${promised(service, replicas)} of ${replicas}`;
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

function promised(service: ServiceRecord, replicas: number): number {
  const config = service.change === 'rollback' ? service.spec.RollbackConfig : service.spec.UpdateConfig;
  const { order, parallelism } = updateRules(config);
  if (order === 'start-first') return replicas;
  return parallelism === 0 ? 0 : Math.max(0, replicas - parallelism);
}
