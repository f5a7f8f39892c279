import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { busMetrics } from '../../../bus/bus-metrics.ts';
import { MeasuredBucket } from '../../../bus/measured-bucket.ts';
import type { RawBucket } from '../../../bus/raw-bucket.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { metricValue } from '../../support/prometheus-text.ts';

it('counts what a bucket was asked by how that ended, and how long it took', async () => {
  const clock = new FakeClock();
  const registry = new Registry();
  const raw: RawBucket = {
    name: 'plim_spec',
    write: async (_key, data) => {
      if (data !== undefined) throw new PlimsollError('conflict', 'another was faster');
      return 1;
    },
    writeTogether: async ([first]) => first?.expectation.revision,
    read: async () => {
      await clock.advance(30);
      return undefined;
    },
    watch: async () => ({ close: async () => {} }),
  };
  const bucket = new MeasuredBucket(raw, { clock, metrics: busMetrics(registry) });

  await bucket.read('a');
  await bucket.write('a', undefined);
  await bucket.writeTogether([{ key: 'a', data: '{}', expectation: { key: 'a', revision: 7 } }]);
  await bucket.writeTogether([]);
  await expect(bucket.write('a', '{}')).rejects.toThrow('another was faster');

  const page = await registry.metrics();
  const operations = (labels: Record<string, string>) =>
    metricValue(page, 'plimsoll_bus_bucket_operations_total', { bucket: 'plim_spec', ...labels });
  expect(operations({ operation: 'read', outcome: 'ok' })).toBe(1);
  expect(operations({ operation: 'delete', outcome: 'ok' })).toBe(1);
  expect(operations({ operation: 'batch', outcome: 'ok' })).toBe(1);
  expect(operations({ operation: 'batch', outcome: 'refused' })).toBe(1);
  expect(operations({ operation: 'write', outcome: 'conflict' })).toBe(1);
  expect(metricValue(page, 'plimsoll_bus_bucket_operation_duration_seconds_sum', { operation: 'read' })).toBe(0.03);
});
