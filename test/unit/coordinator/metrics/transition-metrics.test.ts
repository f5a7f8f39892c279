import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { measureTransitions } from '../../../../coordinator/metrics/transition-metrics.ts';
import { openStore, type Store } from '../../../../coordinator/store/store.ts';
import { aStatusRecord, aTaskRecord, nodeIdOf } from '../../../support/docker-api-server.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';
import { metricValue } from '../../../support/prometheus-text.ts';
import { aService } from '../../../support/snapshots.ts';

const service = aService();
const task = aTaskRecord(service, 1, nodeIdOf('h1'));
const key = `${task.nodeId}.${task.id}`;
const clock = new FakeClock();

let connection: MemoryConnection;
let store: Store;
let registry: Registry;
let isLeading: boolean;
let stop: () => void;

beforeEach(async () => {
  connection = new MemoryServer({ clock }).connect();
  store = await openStore({ buckets: connection.buckets, clock });
  registry = new Registry();
  isLeading = true;
  stop = measureTransitions({ registry, store, clock, isLeading: () => isLeading });
});

afterEach(async () => {
  stop();
  await store.close();
});

const restarts = async (reason: string) => {
  const labels = { service: 'web', reason };
  return metricValue(await registry.metrics(), 'plimsoll_service_task_restarts_total', labels);
};

async function crash(attempt: number): Promise<void> {
  const exit = { attempt: attempt - 1, containerId: 'c', exitCode: 1, oomKilled: false, error: '', finishedAtMs: 0 };
  const exits = [{ ...exit, state: 'failed' as const }];
  await connection.buckets.statuses.put(key, aStatusRecord(task, { attempt, restarts: attempt - 1, exits }));
  await clock.advance(10);
}

it('counts restarts on the service: from 0, on when the task is gone, and not for ever', async () => {
  const revision = await connection.buckets.services.create(service.id, service);
  await clock.advance(10);
  expect(await registry.metrics()).toContain(
    'plimsoll_service_task_restarts_total{service="web",stack="",reason="oom"} 0',
  );
  await connection.buckets.tasks.put(key, task);
  await clock.advance(10);

  await crash(2);
  await connection.buckets.tasks.delete(key);
  await clock.advance(10);
  expect(await restarts('failed')).toBe(1);

  await connection.buckets.services.delete(service.id, revision);
  await clock.advance(10);
  expect(await registry.metrics()).not.toContain('service="web"');
});

it('is counted by the one that leads, who knows what was before', async () => {
  await connection.buckets.services.create(service.id, service);
  await connection.buckets.tasks.put(key, task);
  isLeading = false;
  await clock.advance(10);
  await crash(2);
  isLeading = true;
  await crash(3);

  expect(await restarts('failed')).toBe(1);
});
