/** Policies, services and readings for tests of autoscaling: only what a test names is out of the ordinary. */
import { type AutoscalePolicy, autoscalePolicy } from '../../coordinator/autoscale/policy.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import { aSpec } from './snapshots.ts';

/** A specification of replicas that reserve a core and 100 MiB; labels are given without `plimsoll.autoscale.`. */
export function scalingSpec(
  options: Readonly<Record<string, string>>,
  changes: Partial<ServiceSpec> = {},
): ServiceSpec {
  const labels = Object.entries(options).map(([name, value]) => [`plimsoll.autoscale.${name}`, value]);
  const Reservations = { NanoCPUs: 1e9, MemoryBytes: 100 * 1024 * 1024 };
  return aSpec({
    Labels: Object.fromEntries(labels),
    TaskTemplate: { ContainerSpec: { Image: 'a:1' }, Resources: { Reservations } },
    ...changes,
  });
}

/** 1 to 10 replicas by a query of 10 a replica, unless said otherwise. */
export function aPolicy(options: Readonly<Record<string, string>> = {}): AutoscalePolicy {
  const policy = autoscalePolicy(scalingSpec({ max: '10', query: 'load', target: '10', ...options }));
  if (!policy) throw new Error('these labels make no policy');
  return policy;
}
