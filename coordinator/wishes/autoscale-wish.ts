/** What of a service's autoscaling can only be asked of others, and what its owner should hear of it. */
import { durationText } from '../../model/duration.ts';
import { desiredReplicas } from '../../model/service-defaults.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import { type AutoscalePolicy, autoscaleLabel, autoscalePolicy } from '../autoscale/policy.ts';
import type { Prometheus } from '../autoscale/prometheus.ts';
import type { Queue, Queues } from '../autoscale/queues.ts';
import { invalid } from './errors.ts';

/**
 * Asks Prometheus what a service is to be scaled by. Throws `invalid` where no answer could ever do; a Prometheus that is
 * down, or has no series yet, is a warning. An unchanged query is not asked again.
 */
export async function checkQuery(
  spec: ServiceSpec,
  before: ServiceSpec | undefined,
  prometheus: Prometheus | undefined,
): Promise<string[]> {
  const query = queryOf(autoscalePolicy(spec));
  if (query === undefined || (before && queryOf(autoscalePolicy(before)) === query)) return [];
  const label = autoscaleLabel('query');
  if (prometheus === undefined) {
    throw invalid(`Labels: ${label} needs a Prometheus to ask: start the coordinators with --prometheus URL`);
  }
  const answer = await prometheus.query(query);
  if ('value' in answer) return [];
  if ('isFault' in answer) throw invalid(`Labels: ${label}: ${answer.problem}`);
  return [`${label}: ${answer.problem}; until it answers one number the query scales nothing`];
}

/** A queue nobody can be asked about is refused, one that is not there yet is a warning. An unchanged one is not asked again. */
export async function checkQueue(
  spec: ServiceSpec,
  before: ServiceSpec | undefined,
  queues: Queues | undefined,
): Promise<string[]> {
  const queue = queueOf(autoscalePolicy(spec));
  const known = before && queueOf(autoscalePolicy(before));
  if (queue === undefined || (known?.stream === queue.stream && known.consumer === queue.consumer)) return [];
  const label = autoscaleLabel('nats.stream');
  if (queues === undefined) {
    throw invalid(`Labels: ${label} needs a NATS to ask: start the coordinators with --nats-monitoring URL`);
  }
  const answer = await queues.lag(queue);
  return 'value' in answer ? [] : [`${label}: ${answer.problem}; until its lag can be told the queue scales nothing`];
}

function queueOf(policy: AutoscalePolicy | undefined): Queue | undefined {
  const target = policy?.targets.find(({ source }) => source === 'nats');
  return target?.source === 'nats' ? target : undefined;
}

function queryOf(policy: AutoscalePolicy | undefined): string | undefined {
  const target = policy?.targets.find(({ source }) => source === 'query');
  return target?.source === 'query' ? target.query : undefined;
}

/** Says that a count set by hand stands, and for how long. Pure. */
export function handScalingWarnings(spec: ServiceSpec, before: ServiceSpec | undefined): string[] {
  const policy = autoscalePolicy(spec);
  const replicas = desiredReplicas(spec);
  if (!policy || !before || !autoscalePolicy(before) || desiredReplicas(before) === replicas) return [];
  const bounds = `between ${policy.min} and ${policy.max} replicas`;
  const isOff = replicas === 0 && policy.min > 0;
  const until = isOff ? 'until it is scaled up again' : `for ${durationText(policy.holdOffMs)}`;
  return [`${spec.Name} scales itself ${bounds}: it is left at ${replicas} ${until} (plimsoll.autoscale.hold-off)`];
}
