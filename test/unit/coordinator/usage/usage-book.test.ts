import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageBook } from '../../../../coordinator/usage/usage-book.ts';
import { registerUsageMetrics } from '../../../../coordinator/usage/usage-metrics.ts';
import type { Usage } from '../../../../model/messages.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { FakeClock, settleMicrotasks } from '../../../support/fake-clock.ts';
import { MemoryServer } from '../../../support/memory-bus.ts';

const nodeId = derivedId('node');
const usage: Usage = { nodeId, cpuTotalCores: 2, memoryBytes: 1, memoryTotalBytes: 2, load1: 0, tasks: [] };

describe('UsageBook', () => {
  let clock: FakeClock;
  let nodes: Set<string>;
  let book: UsageBook;
  let say: (subject: string, message: unknown) => Promise<void>;
  const ending = { now: new AbortController() };

  beforeEach(() => {
    clock = new FakeClock();
    nodes = new Set([nodeId]);
    ending.now = new AbortController();
    const server = new MemoryServer({ clock });
    const agent = server.connect('agent');
    book = new UsageBook({ bus: server.connect('coordinator').bus, clock, isNode: (id) => nodes.has(id) });
    void book.run(ending.now.signal);
    say = async (subject, message) => {
      agent.bus.publish(subject, message);
      await settleMicrotasks();
    };
  });
  afterEach(() => ending.now.abort());

  test('keeps the newest of each node for ten seconds', async () => {
    await say(`plim.usage.${nodeId}`, usage);
    await clock.advance(1_000);
    await say(`plim.usage.${nodeId}`, { ...usage, load1: 3 });

    expect(book.fresh().get(nodeId)?.usage.load1).toBe(3);
    await clock.advance(9_900);
    expect(book.fresh().size).toBe(1);
    await clock.advance(200);
    expect(book.fresh().size).toBe(0);
    expect(book.agesSeconds().get(nodeId)).toBeCloseTo(10.1);
  });

  test('believes no node that speaks for another, and nobody who is no node', async () => {
    const other = derivedId('other');
    await say(`plim.usage.${other}`, usage);
    await say(`plim.usage.${other}`, { ...usage, nodeId: other });

    expect(book.agesSeconds().size).toBe(0);
  });

  test('takes nothing that does not fit', async () => {
    await say(`plim.usage.${nodeId}`, { ...usage, memoryBytes: -1 });
    await say(`plim.usage.${nodeId}`, 'nonsense');

    expect(book.fresh().size).toBe(0);
  });

  test('forgets a node that left, also should it come back', async () => {
    await say(`plim.usage.${nodeId}`, usage);
    nodes.delete(nodeId);
    expect(book.fresh().size).toBe(0);
    await clock.advance(10_000);
    nodes.add(nodeId);

    expect(book.agesSeconds().size).toBe(0);
  });

  test('shows on /metrics how old what is known is', async () => {
    const registry = createMetrics('coordinator', '0');
    registerUsageMetrics(registry, book, () => 'host-1');
    await say(`plim.usage.${nodeId}`, usage);
    await clock.advance(1_500);

    expect(await registry.getSingleMetricAsString('plimsoll_node_usage_age_seconds')).toContain(
      `plimsoll_node_usage_age_seconds{node="host-1",node_id="${nodeId}"} 1.5`,
    );
  });
});
