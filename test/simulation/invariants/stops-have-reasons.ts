/**
 * No container that serves is told to stop without a reason a user or the engine gave: absence, an emptied or older bucket,
 * a new leader or a restarted agent is none.
 */
import type { ObservedContainer } from '../../../agent/plan/observed-container.ts';
import { failoverPolicy } from '../../../model/service-policy.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { fewestSince } from '../operator.ts';
import { isSound } from '../world/images.ts';
import { described, type GroundTruth, isReady, placeOf } from './ground-truth.ts';
import type { InvariantMaker, Scene } from './invariant.ts';

/** What was told lately is still being done. */
const LATELY_MS = 60_000;

export const stopsHaveReasons: InvariantMaker = (scene) => {
  const unhealthyAtMs = new Map<string, number>();
  const lastSeen = new Map<string, ServiceRecord>();
  return {
    name: 'stops have reasons',
    eachSecond: () => {
      for (const service of scene.truth.services()) lastSeen.set(service.id, service);
      return undefined;
    },
    onContainer: (host, { action, containerId }, container) => {
      const { nowMs } = scene.world.time;
      const key = `${host} ${containerId}`;
      if (action === 'health_status: unhealthy') unhealthyAtMs.set(key, nowMs);
      if (action !== 'kill' || container.phase !== 'running' || !isReady(container)) return undefined;
      const wasUnhealthy = nowMs - (unhealthyAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < LATELY_MS;
      const service = scene.truth.service(container.serviceId) ?? lastSeen.get(container.serviceId);
      if (wasUnhealthy || !isSound(container.image) || hasReason(scene, host, container, service)) return undefined;
      return `${described(container, host)} was told to stop though it serves and nobody wanted it gone`;
    },
  };
};

function hasReason(
  scene: Scene,
  host: string,
  container: ObservedContainer,
  service: ServiceRecord | undefined,
): boolean {
  const { world, truth, operator } = scene;
  if (!service) return false;
  const wished = operator.wishedOf(service.id);
  const sinceMs = world.time.nowMs - LATELY_MS;
  const fewest = wished ? fewestSince(wished, sinceMs) : 0;
  return (
    service.removedAtMs !== undefined ||
    wished?.removalAsked === true ||
    service.revision !== container.revision ||
    (!service.spec.Mode?.Global && otherSlots(truth, container) >= Math.min(truth.replicasOf(service), fewest)) ||
    truth.besides(host, container).length > 0 ||
    hasOtherTask(truth, host, container) ||
    wasCutOff(scene, service, sinceMs) ||
    world.drained.since(sinceMs, host)
  );
}

/** How many other slots of its service have a task that is to run, or had one whose record was lost: it runs on. */
function otherSlots(truth: GroundTruth, { serviceId, slot }: ObservedContainer): number {
  const tasks = truth.tasks().filter((task) => task.serviceId === serviceId);
  const known = new Set(tasks.map((task) => task.id));
  const live = tasks.filter((task) => task.desired !== 'stopped');
  const lost = truth
    .slots()
    .filter((each) => each.serviceId === serviceId && each.assigned.some(({ taskId }) => !known.has(taskId)));
  return new Set([...live, ...lost].map((each) => each.slot).filter((other) => other !== slot)).size;
}

/** Its host has not heard the leader, and the service wants it to stop then. */
function wasCutOff({ world }: Scene, { spec }: ServiceRecord, sinceMs: number): boolean {
  if (failoverPolicy(spec.Labels).onDisconnect === 'keep') return false;
  return world.disturbances.anySince(sinceMs) || world.leaderless.anySince(sinceMs);
}

/** Another task has the slot: the one that stops makes room for it. */
function hasOtherTask(truth: GroundTruth, host: string, { serviceId, slot, taskId }: ObservedContainer): boolean {
  const place = truth.placeOn(host, slot);
  const others = truth.tasks().filter((task) => task.serviceId === serviceId && task.id !== taskId);
  return others.some((task) => placeOf(task) === place && task.desired !== 'stopped');
}
