import { expect, it } from 'vitest';
import { coordinatorMetrics } from '../../../../coordinator/loops/coordinator-metrics.ts';
import { EventQueue } from '../../../../coordinator/loops/event-queue.ts';
import type { ClusterEvent } from '../../../../model/messages.ts';
import { createLog } from '../../../../runtime/log.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { FakeClock, settleMicrotasks } from '../../../support/fake-clock.ts';
import { MemoryServer } from '../../../support/memory-bus.ts';
import { metricValue } from '../../../support/prometheus-text.ts';

const anEvent = (id: string): ClusterEvent => ({ kind: 'task', id, action: 'create', attributes: {}, atMs: 1 });

function aQueue(serverFences = true) {
  const server = new MemoryServer({ clock: new FakeClock(), serverFences });
  const { bus, clock } = server.connect();
  const sent: number[] = [];
  const publishAllDurably: typeof bus.publishAllDurably = (messages) => {
    sent.push(messages.length);
    return bus.publishAllDurably(messages);
  };
  const registry = createMetrics('test', '0');
  const metrics = coordinatorMetrics(registry);
  const queue = new EventQueue({ bus: { publishAllDurably }, clock, log: createLog('test', 'silent'), metrics });
  return { server, queue, sent, registry };
}

it.each([true, false])('stores what comes in one moment at once, where the server can: %s', async (serverFences) => {
  const { server, queue, sent } = aQueue(serverFences);

  for (const id of ['a', 'b', 'c']) queue.add(anEvent(id));
  await settleMicrotasks();
  queue.add(anEvent('d'));
  await settleMicrotasks();

  expect(sent).toEqual([3, 1]);
  expect(server.events.map(({ message }) => message)).toEqual(['a', 'b', 'c', 'd'].map(anEvent));
});

it('counts each event that is lost', async () => {
  const { server, queue, registry } = aQueue();
  server.crash();
  await settleMicrotasks();

  for (const id of ['a', 'b', 'c']) queue.add(anEvent(id));
  await settleMicrotasks();

  expect(metricValue(await registry.metrics(), 'plimsoll_event_publish_failures_total')).toBe(3);
});
