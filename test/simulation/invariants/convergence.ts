/** Whether a cluster is as its users want it: every service at its replicas, nothing else running. */
import { isJob } from '../../../model/jobs.ts';
import type { RolloutRecord } from '../../../model/rollout-record.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { SlotRecord } from '../../../model/slot-record.ts';
import { isReady, isSoundService, type RunningContainer } from './ground-truth.ts';
import type { Scene } from './invariant.ts';
import { fewestPlaced } from './kin.ts';

/** Why it is not; undefined when it is. */
export function whyNotConverged({ world, truth }: Scene): string | undefined {
  const services = truth.services();
  const running = truth.running();
  const known = new Set(services.filter(({ removedAtMs }) => removedAtMs === undefined).map(({ id }) => id));
  // What runs for a service whose record was lost runs on: nobody said that it should not. A removed service's assignment
  // that came back with an older bucket cannot be told from such a one.
  const isStray = ({ serviceId, taskId }: RunningContainer) => !known.has(serviceId) && !world.revivedTasks.has(taskId);
  const stray = world.wishesLost ? undefined : running.find(isStray);
  if (stray) return `${stray.name} runs on ${stray.host} and belongs to no service`;
  const leaving = services.find(({ removedAtMs }) => removedAtMs !== undefined);
  if (leaving) return `${leaving.spec.Name} was removed and is still there`;
  const stopping = truth.tasks().find(({ desired }) => desired === 'stopped');
  if (stopping) return `${stopping.serviceName}.${stopping.slot} is still being stopped`;
  if (!world.hosts.some(({ core }) => core?.isLeading())) return 'no coordinator leads';
  const nodeIds = world.hosts.map(({ nodeId }) => nodeId);
  for (const service of services) {
    const own = running.filter(({ serviceId }) => serviceId === service.id);
    const count = { wanted: truth.replicasOf(service), fewest: fewestPlaced(service, truth, nodeIds) };
    const reason = isJob(service.spec)
      ? whyNotComplete(service, truth.slots(), own, count)
      : (whyNotAsWished(service, count, own) ?? whyNotUpdated(service, own, truth.rollout(service.id), count));
    if (reason) return `${service.spec.Name}: ${reason}`;
  }
  return undefined;
}

/** How many replicas a service wants, and how many must have found a place. */
interface Count {
  readonly wanted: number;
  readonly fewest: number;
}

function whyNotComplete(
  { id, revision }: ServiceRecord,
  slots: readonly SlotRecord[],
  [running]: readonly RunningContainer[],
  { wanted, fewest }: Count,
): string | undefined {
  if (running) return `${running.name} on ${running.host} still runs`;
  const isComplete = (slot: SlotRecord) => slot.serviceId === id && slot.completedRevision === revision;
  const complete = slots.filter(isComplete).length;
  return complete < fewest ? `${complete} of ${wanted} slots are complete` : undefined;
}

/** An update that failed may stop half way, if it was told to, and one that finds no place waits for it. */
function whyNotUpdated(
  service: ServiceRecord,
  running: readonly RunningContainer[],
  rollout: RolloutRecord | undefined,
  { wanted, fewest }: Count,
): string | undefined {
  if (
    fewest < wanted ||
    rollout?.state === 'paused' ||
    rollout?.state === 'rollback_paused' ||
    !isSoundService(service)
  )
    return undefined;
  if (rollout?.state === 'updating' || rollout?.state === 'rollback_started') return 'its update is not over';
  const old = running.find(({ revision }) => revision !== service.revision);
  if (old) return `${old.name} on ${old.host} runs revision ${old.revision}, ${service.revision} is wanted`;
  const { Image } = service.spec.TaskTemplate.ContainerSpec;
  const other = running.find(({ image }) => image !== Image);
  return other && `${other.name} on ${other.host} runs ${other.image}, ${Image} is wanted`;
}

function whyNotAsWished(
  service: ServiceRecord,
  { wanted, fewest }: Count,
  running: readonly RunningContainer[],
): string | undefined {
  const places = new Set(running.map(({ place }) => place));
  if (places.size > wanted) return `${places.size} slots run, ${wanted} are wanted`;
  if (!isSoundService(service)) return undefined;
  const twice = running.find((one) => running.some((other) => other !== one && other.place === one.place));
  if (twice) return `${twice.name} on ${twice.host} runs twice`;
  if (places.size < fewest) return `${places.size} slots run, ${wanted} are wanted`;
  const unready = running.find((one) => !isReady(one));
  if (unready) return `${unready.name} on ${unready.host} is ${unready.health}`;
  return undefined;
}
