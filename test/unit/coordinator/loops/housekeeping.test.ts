import { expect, test } from 'vitest';
import { coordinatorMetrics } from '../../../../coordinator/loops/coordinator-metrics.ts';
import { Housekeeping } from '../../../../coordinator/loops/housekeeping.ts';
import { openStore, type Store } from '../../../../coordinator/store/store.ts';
import { createLog } from '../../../../runtime/log.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { FakeClock, settleMicrotasks } from '../../../support/fake-clock.ts';
import { FakeNode } from '../../../support/fake-node.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

interface House {
  readonly clock: FakeClock;
  readonly server: MemoryServer;
  readonly connection: MemoryConnection;
  readonly store: Store;
  readonly housekeeping: Housekeeping;
}

async function aHouse(): Promise<House> {
  const clock = new FakeClock();
  const server = new MemoryServer({ clock });
  const connection = server.connect('leader');
  await connection.buckets.raiseFence(1);
  const store = await openStore({ buckets: connection.buckets, clock });
  const housekeeping = new Housekeeping({
    buckets: connection.buckets,
    store,
    clock,
    log: createLog('test', 'silent'),
    metrics: coordinatorMetrics(createMetrics('test', '0')),
    epoch: 1,
  });
  return { clock, server, connection, store, housekeeping };
}

test('a name is swept when its owner has been missing for a minute, not before', async () => {
  const { clock, connection, housekeeping } = await aHouse();
  const world = new PlanWorld();
  const owner = world.service(world.addService('web', 1));
  await connection.buckets.services.create(owner.id, owner);
  await connection.buckets.claims.create('service.web', { v: 1, ownerId: owner.id, ownerName: 'web' });
  const stranger = world.addService('gone', 1);
  await connection.buckets.claims.create('service.gone', { v: 1, ownerId: stranger, ownerName: 'gone' });
  await settleMicrotasks();

  await housekeeping.round();
  await clock.advance(59_000);
  await housekeeping.round();
  expect(await connection.buckets.claims.get('service.gone')).toBeDefined();

  await clock.advance(1_000);
  await housekeeping.round();
  expect(await connection.buckets.claims.get('service.gone')).toBeUndefined();
  expect(await connection.buckets.claims.get('service.web')).toBeDefined();
});

test('a living node without a specification gets the default one', async () => {
  const { clock, server, connection, store, housekeeping } = await aHouse();
  const node = new FakeNode('h1', server.connect('h1'), clock);
  await node.start();
  await settleMicrotasks();

  await housekeeping.round();
  expect(await connection.buckets.nodeSpecs.get(node.id)).toBeUndefined();

  store.setLiveness(new Map([[node.id, { state: 'ready', sinceMs: 0, message: 'beats arrive' }]]));
  const round = housekeeping.round();
  await clock.advance(10);
  await round;
  expect((await connection.buckets.nodeSpecs.get(node.id))?.value.availability).toBe('active');
  await node.stop();
});

test('a name that was free once is not swept from under the service that takes it again', async () => {
  const { clock, connection, housekeeping } = await aHouse();
  const { claims } = connection.buckets;
  const claim = { v: 1, ownerId: new PlanWorld().addService('web', 1), ownerName: 'web' } as const;
  await claims.create('service.web', claim);
  await settleMicrotasks();
  await housekeeping.round();
  await claims.delete('service.web');
  await clock.advance(600_000);
  await housekeeping.round();

  // Claimed, and its specification is still on its way.
  await claims.create('service.web', claim);
  await housekeeping.round();

  expect(await claims.get('service.web')).toBeDefined();
});

test('nothing is swept while a service cannot be read', async () => {
  const { clock, server, connection, housekeeping } = await aHouse();
  const ownerId = new PlanWorld().addService('web', 1);
  await connection.buckets.claims.create('service.web', { v: 1, ownerId, ownerName: 'web' });
  server.corrupt('plim_spec', `service.${ownerId}`, '{"v":2}');
  await settleMicrotasks();

  await housekeeping.round();
  await clock.advance(60_000);
  await housekeeping.round();

  expect(await connection.buckets.claims.get('service.web')).toBeDefined();
});
