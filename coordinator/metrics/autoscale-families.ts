/** Services that scale themselves as metrics: bounds, loads, what was decided and what stood in the way. */
import { type LoadReading, type ScaleRecord, scaleConditions } from '../../model/scale-record.ts';
import { groupBy } from '../../runtime/group-by.ts';
import { type AutoscalePolicy, autoscalePolicy } from '../autoscale/policy.ts';
import type { ServiceState } from './cluster-view.ts';
import { oneHot, type StateFamily, type StateSample } from './state-family.ts';

export const autoscaleFamilies: readonly StateFamily[] = [
  perScalingService(
    'plimsoll_autoscaler_min_replicas',
    'Fewest replicas a service may scale itself to.',
    ({ min }) => min,
  ),
  perScalingService(
    'plimsoll_autoscaler_max_replicas',
    'Most replicas a service may scale itself to.',
    ({ max }) => max,
  ),
  perDecision(
    'plimsoll_autoscaler_desired_replicas',
    'Replicas the autoscaler decided on; of a service in advise mode those it would want.',
    ({ replicas }, labels) => [{ labels, value: replicas }],
  ),
  perDecision(
    'plimsoll_autoscaler_load_replicas',
    'Replicas the load asks for, before bounds and pace; absent while it cannot be told.',
    ({ wanted }, labels) => (wanted === undefined ? [] : [{ labels, value: wanted }]),
  ),
  perReading(
    'plimsoll_autoscaler_load',
    'The load a service scales by when it was last decided on.',
    ({ value }) => value,
  ),
  perReading('plimsoll_autoscaler_target', 'What the load should be, in its own unit.', ({ target }) => target),
  perDecision(
    'plimsoll_autoscaler_condition',
    '1 for what kept the count from being what the load asks for, 0 for the others; following: nothing did.',
    ({ condition }, labels) => (condition ? oneHot(labels, 'condition', scaleConditions, condition) : []),
  ),
  perDecision(
    'plimsoll_autoscaler_decided_timestamp_seconds',
    'When the last decision was written down.',
    ({ decidedAtMs }, labels) => [{ labels, value: decidedAtMs / 1000 }],
  ),
  family(
    'plimsoll_alerts_firing',
    'Alerts that ask something of a service and were not heard to be over, by what they ask; absent before the first.',
    ({ alerts, labels }) =>
      [...groupBy(alerts, ({ action }) => action)].map(([action, own]) => ({
        labels: `${labels},action="${action}"`,
        value: own.filter(({ status }) => status === 'firing').length,
      })),
  ),
];

function perScalingService(name: string, help: string, valueOf: (policy: AutoscalePolicy) => number): StateFamily {
  return family(name, help, ({ record, labels }) => {
    const policy = autoscalePolicy(record.spec);
    return policy ? [{ labels, value: valueOf(policy) }] : [];
  });
}

function perDecision(
  name: string,
  help: string,
  samplesOf: (scale: ScaleRecord, labels: string) => StateSample[],
): StateFamily {
  return family(name, help, ({ scale, labels }) => (scale ? samplesOf(scale, labels) : []));
}

function perReading(name: string, help: string, valueOf: (reading: LoadReading) => number | undefined): StateFamily {
  return perDecision(name, help, ({ readings = [] }, labels) =>
    readings.flatMap((reading) => {
      const value = valueOf(reading);
      return value === undefined ? [] : [{ labels: `${labels},source="${reading.source}"`, value }];
    }),
  );
}

function family(name: string, help: string, samplesOf: (service: ServiceState) => StateSample[]): StateFamily {
  return { name, type: 'gauge', help, samples: ({ services }) => services.flatMap(samplesOf) };
}
