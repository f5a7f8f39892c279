/**
 * While nothing else is wrong, an update never leaves fewer ready replicas than it promises: all of them when new tasks
 * start first, all but `parallelism` when old ones stop first.
 */

import type { ServiceRecord } from '../../../model/records.ts';
import { updateRules } from '../../../model/service-defaults.ts';
import { fewestSince } from '../operator.ts';
import { isSound } from '../world/images.ts';
import { isReady, isSoundService } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';

/** After a disturbance or another wish it takes this long until the promise holds again. */
const CALM_MS = 15_000;

interface Steady {
  readonly revision: number;
  readonly sinceMs: number;
}

export const updatesKeepTheirPromise: InvariantMaker = ({ world, operator, truth }) => {
  /** Since when each service has had all its replicas at one revision. */
  const steady = new Map<string, Steady>();
  return {
    name: 'updates keep their promise',
    eachSecond: () => {
      const { nowMs } = world.time;
      if (world.disturbances.anySince(nowMs - CALM_MS)) {
        steady.clear();
        return undefined;
      }
      const running = truth.running();
      for (const service of truth.services()) {
        const ready = running.filter((one) => one.serviceId === service.id && isReady(one) && isSound(one.image));
        const wished = operator.wishedOf(service.id);
        const isScaled = !wished || Number.isFinite(fewestSince(wished, nowMs - CALM_MS));
        const isChanged = isScaled || wished.removalAsked || service.removedAtMs !== undefined;
        const before = steady.get(service.id);
        if (isChanged) steady.delete(service.id);
        else if (
          ready.length >= truth.replicasOf(service) &&
          ready.every(({ revision }) => revision === service.revision)
        )
          steady.set(service.id, { revision: service.revision, sinceMs: nowMs });
        else if (before && isSoundSince(service, before) && ready.length < promised(service, truth.replicasOf(service)))
          return `${service.spec.Name} has ${ready.length} ready replicas: its update promises ${promised(service, truth.replicasOf(service))} of ${truth.replicasOf(service)}`;
      }
      return undefined;
    },
  };
};

/** Whether it was only ever updated to what can become ready: no promise covers an update that cannot, nor the way back. */
function isSoundSince(service: ServiceRecord, { revision }: Steady): boolean {
  const since = service.revisions.filter(({ number }) => number > revision);
  return isSoundService(service) && since.every(({ taskTemplate }) => isSound(taskTemplate.ContainerSpec.Image));
}

function promised(service: ServiceRecord, replicas: number): number {
  const config = service.change === 'rollback' ? service.spec.RollbackConfig : service.spec.UpdateConfig;
  const { order, parallelism } = updateRules(config);
  if (order === 'start-first') return replicas;
  return parallelism === 0 ? 0 : Math.max(0, replicas - parallelism);
}
