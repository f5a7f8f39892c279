import { expect, test } from 'vitest';
import { z } from 'zod';
import { coordinatorMetrics } from '../../../../coordinator/loops/coordinator-metrics.ts';
import { Inventory } from '../../../../coordinator/loops/inventory.ts';
import type { NodeOrphan } from '../../../../coordinator/plan/planner.ts';
import { openStore } from '../../../../coordinator/store/store.ts';
import { createLog } from '../../../../runtime/log.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { FakeClock, settleMicrotasks } from '../../../support/fake-clock.ts';
import { MemoryServer } from '../../../support/memory-bus.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const orphanOf = (serviceId: string) => ({
  taskId: serviceId,
  serviceId,
  slot: 1,
  revision: 1,
  containerId: 'c',
  running: true,
});

/** A cluster of one service and two registered nodes; which are heard and what they answer, the test says. */
async function aTerm() {
  const clock = new FakeClock();
  const server = new MemoryServer({ clock });
  const { buckets, bus } = server.connect('leader');
  await buckets.raiseFence(1);
  const world = new PlanWorld();
  const service = world.service(world.addService('web', 1));
  await buckets.services.create(service.id, service);
  const [h1, h2] = [world.addNode('h1'), world.addNode('h2')];
  for (const { key, value } of world.tables.nodes.values()) await buckets.nodes.create(key, value);
  const store = await openStore({ buckets, clock });
  const hear = (ids: readonly string[]) =>
    store.setLiveness(new Map(ids.map((id) => [id, { state: 'ready', sinceMs: 0, message: 'beats arrive' }])));
  const asked: boolean[] = [];
  const has = (nodeId: string, orphans: ReturnType<typeof orphanOf>[]) =>
    server.connect(nodeId).bus.answer(nodeId, 'orphans', z.object({ all: z.boolean() }), async ({ all }) => {
      asked.push(all);
      return { orphans };
    });
  const found: NodeOrphan[][] = [];
  const inventory = new Inventory({
    bus,
    store,
    clock,
    log: createLog('test', 'silent'),
    metrics: coordinatorMetrics(createMetrics('test', '0')),
    onFound: (orphans) => found.push([...orphans]),
  });
  const round = async (passMs = 10) => {
    const done = inventory.round();
    await clock.advance(passMs);
    await done;
    return inventory.addTo(store.snapshot()).doubt?.services.size;
  };
  return { clock, buckets, h1, h2, service, store, hear, has, asked, found, inventory, round };
}

test('a term begins in doubt, until every node that is heard has said all that it runs', async () => {
  const { h1, h2, service, hear, has, asked, found, round } = await aTerm();
  hear([h1, h2]);
  has(h1, [orphanOf(service.id)]);
  expect(await round()).toBe(1);
  expect(found).toEqual([]);

  has(h2, []);
  expect(await round()).toBe(0);
  expect(found).toEqual([[{ ...orphanOf(service.id), nodeId: h1 }]]);

  expect(asked).toEqual([true, true]);
  await round();
  expect(asked).toEqual([true, true, false, false]);
});

test('records that vanish without being deleted begin it again', async () => {
  const { clock, h1, service, store, hear, has, inventory, round } = await aTerm();
  hear([h1]);
  has(h1, []);
  expect(await round()).toBe(0);
  const { sinceMs } = inventory.addTo(store.snapshot()).doubt ?? {};
  await clock.advance(1_000);

  expect(store.losses).toBe(0);
  Object.defineProperty(store, 'losses', { value: 1 });
  const doubt = inventory.addTo(store.snapshot()).doubt;

  expect([...(doubt?.services ?? [])]).toEqual([service.id]);
  expect(doubt?.sinceMs).toBeGreaterThanOrEqual((sinceMs ?? 0) + 1_000);
});

test('a node that is heard and not described keeps the doubt alive, for half a minute', async () => {
  const { clock, h1, hear, has, round } = await aTerm();
  const stranger = new PlanWorld().addNode('h9');
  hear([h1, stranger]);
  has(h1, []);
  has(stranger, []);
  expect(await round()).toBe(1);

  await clock.advance(30_000);
  await settleMicrotasks();

  expect(await round()).toBe(0);
});

test('a service that comes back from a backup begins it again, one that is new does not', async () => {
  const { clock, buckets, h1, store, hear, has, inventory, round } = await aTerm();
  hear([h1]);
  has(h1, []);
  expect(await round()).toBe(0);
  const world = new PlanWorld();
  const made = (name: string, createdAtMs: number) => ({ ...world.service(world.addService(name, 1)), createdAtMs });
  const fresh = made('fresh', clock.wallMs());
  await buckets.services.create(fresh.id, fresh);
  await settleMicrotasks();
  expect(inventory.addTo(store.snapshot()).doubt?.services.size).toBe(0);

  const old = made('old', clock.wallMs() - 3_600_000);
  await buckets.services.create(old.id, old);
  await settleMicrotasks();

  expect(inventory.addTo(store.snapshot()).doubt?.services).toContain(old.id);
});

test('one loss after the other does not hold slots empty for longer than half a minute', async () => {
  const { clock, h1, store, hear, inventory, round } = await aTerm();
  hear([h1]);
  let losses = 0;
  Object.defineProperty(store, 'losses', { get: () => losses });
  for (let second = 0; second < 30; second += 1) {
    losses += 1;
    inventory.addTo(store.snapshot());
    await clock.advance(1_000);
  }

  expect(await round(2_500)).toBe(0);
});

test('a round that fails is counted once', async () => {
  const { clock, store: whole } = await aTerm();
  const registry = createMetrics('test', '0');
  const store = Object.create(whole, {
    isCurrent: {
      get: () => {
        throw new Error('the bus is away');
      },
    },
  });
  const parts = { bus: new MemoryServer({ clock }).connect('other').bus, store, clock, onFound: () => undefined };
  const log = createLog('test', 'silent');
  const stopping = new AbortController();
  const running = new Inventory({ ...parts, log, metrics: coordinatorMetrics(registry) }).run(stopping.signal);
  await settleMicrotasks();
  stopping.abort();
  await running;
  const page = await registry.getSingleMetricAsString('plimsoll_coordinator_loop_errors_total');
  expect(page).toMatch(/loop="inventory"[^}]*} 1$/m);
});
