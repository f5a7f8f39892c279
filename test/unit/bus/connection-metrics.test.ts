import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { busMetrics } from '../../../bus/bus-metrics.ts';
import { measureConnection } from '../../../bus/connection-metrics.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { metricValue } from '../../support/prometheus-text.ts';

it('measures traffic and the way to the server until the connection is closed', async () => {
  const clock = new FakeClock();
  const registry = new Registry();
  const stats = { inMsgs: 3, outMsgs: 1, inBytes: 300, outBytes: 10 };
  const closed = new AbortController();
  let answersPings = true;
  const connection = {
    isClosed: () => closed.signal.aborted,
    stats: () => stats,
    rtt: () => (answersPings ? Promise.resolve(4) : new Promise<number>(() => {})),
  };
  const parts = { connection, isConnected: () => true, purpose: 'state', clock, metrics: busMetrics(registry) };
  const measuring = measureConnection(parts, closed.signal);
  const value = async (name: string, labels: Record<string, string> = {}) =>
    metricValue(await registry.metrics(), name, { connection: 'state', ...labels });
  await clock.advance(0);

  expect(await value('plimsoll_bus_messages_total', { direction: 'in' })).toBe(3);
  expect(await value('plimsoll_bus_round_trip_seconds')).toBe(0.004);

  stats.inMsgs = 10;
  answersPings = false;
  await clock.advance(5_000);
  await clock.advance(2_000);
  expect(await value('plimsoll_bus_messages_total', { direction: 'in' })).toBe(10);
  expect(await value('plimsoll_bus_ping_failures_total')).toBe(1);

  closed.abort();
  await measuring;
});
