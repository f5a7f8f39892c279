/** Which autoscaling a service may ask for: what each label says is known to be well-formed, together they must make sense. Pure. */
import { isJob } from '../../model/jobs.ts';
import { isGlobal, modeName } from '../../model/service-defaults.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import { invalid } from '../wishes/errors.ts';
import { autoscaleLabel, autoscalePolicy, hasAutoscaleLabels, reservedOf } from './policy.ts';

/** Throws `invalid`, naming the label. */
export function checkAutoscale(spec: ServiceSpec): void {
  const { Labels: labels = {} } = spec;
  if (!hasAutoscaleLabels(labels)) return;
  const has = (name: Parameters<typeof autoscaleLabel>[0]) => labels[autoscaleLabel(name)] !== undefined;
  const refuse = (name: Parameters<typeof autoscaleLabel>[0], why: string) =>
    invalid(`Labels: ${autoscaleLabel(name)} ${why}`);
  if (isGlobal(spec) || isJob(spec)) {
    throw refuse(
      'max',
      `is for replicated services, this one is ${modeName(spec)}: its tasks are not counted by a wish`,
    );
  }
  if (!has('max')) throw refuse('max', 'must be given: up to how many replicas the service may scale itself');
  for (const source of ['cpu', 'memory'] as const) {
    if (!has(source) || reservedOf(spec, source) !== undefined) continue;
    throw refuse(source, `is a share of the reservation or limit of ${source}, and the service has neither`);
  }
  if (has('connections') && !canBeCalled(spec)) {
    throw refuse('connections', 'counts connections on networks and published ports, and the service has neither');
  }
  const ofQueue = (['nats.stream', 'nats.consumer', 'nats.lag'] as const).filter(has);
  if (ofQueue.length === 1 || ofQueue.length === 2) {
    throw refuse(
      'nats.stream',
      `, ${autoscaleLabel('nats.consumer')} and ${autoscaleLabel('nats.lag')} belong together`,
    );
  }
  if (has('query') !== has('target')) throw refuse('query', `and ${autoscaleLabel('target')} belong together`);
  if (has('query-answers') && !has('query')) throw refuse('query-answers', `needs ${autoscaleLabel('query')}`);
  checkPolicy(autoscalePolicy(spec), refuse);
}

function canBeCalled({ EndpointSpec, TaskTemplate }: ServiceSpec): boolean {
  return (EndpointSpec?.Ports ?? []).length > 0 || (TaskTemplate.Networks ?? []).length > 0;
}

function checkPolicy(
  policy: ReturnType<typeof autoscalePolicy>,
  refuse: (name: 'max' | 'min' | 'cpu', why: string) => Error,
): void {
  const { min = 0, max = 0, targets = [] } = policy ?? {};
  if (max === 0) throw refuse('max', 'must be at least 1');
  if (min > max) throw refuse('min', `is ${min}, more than ${autoscaleLabel('max')}, ${max}`);
  if (targets.length === 0) {
    const others = `${autoscaleLabel('memory')}, ${autoscaleLabel('connections')}, ${autoscaleLabel('query')}, ${autoscaleLabel('nats.stream')} or a plimsoll.alerts that scales`;
    throw refuse('cpu', `is not there, nor is ${others}: at least one must say by what to scale`);
  }
  if (min === 0 && !targets.some(({ source }) => source === 'query' || source === 'nats')) {
    throw refuse(
      'min',
      `may be 0 only with ${autoscaleLabel('query')} or ${autoscaleLabel('nats.stream')}: no replica uses nothing, so nothing would wake it`,
    );
  }
}
