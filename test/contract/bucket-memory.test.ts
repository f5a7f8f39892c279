import { describe, expect, test } from 'vitest';
import { systemClock } from '../../runtime/clock.ts';
import { FakeClock, settleMicrotasks } from '../support/fake-clock.ts';
import { MemoryServer } from '../support/memory-bus.ts';
import { aClaim } from '../support/records.ts';
import { bucketContract } from './bucket-suite.ts';

describe('buckets in memory', () => {
  bucketContract(async () => {
    const server = new MemoryServer({ clock: systemClock });
    return {
      first: server.connect().buckets,
      second: server.connect().buckets,
      corrupt: async (bucket, key, text) => server.corrupt(bucket, key, text),
      stop: async () => {},
    };
  });

  test('a lost acknowledgement is settled by reading back', async () => {
    const connection = new MemoryServer({ clock: new FakeClock() }).connect();
    connection.loseAcknowledgements(1);

    const revision = await connection.buckets.claims.create('service.web', aClaim('web'));

    expect((await connection.buckets.claims.get('service.web'))?.revision).toBe(revision);
  });

  test('a cut connection makes views stale; after it heals they are whole', async () => {
    const server = new MemoryServer({ clock: new FakeClock() });
    const cut = server.connect();
    const other = server.connect();
    const view = await cut.buckets.claims.watch();

    cut.disconnect();
    await other.buckets.claims.create('service.web', aClaim('web'));
    expect(view.current).toBe(false);
    await expect(cut.buckets.claims.get('service.web')).rejects.toMatchObject({ code: 'unavailable' });
    cut.reconnect();
    await settleMicrotasks();

    expect(view.current).toBe(true);
    expect([...view.entries.keys()]).toEqual(['service.web']);
  });

  test('the lease bucket forgets after three seconds', async () => {
    const clock = new FakeClock();
    const { buckets } = new MemoryServer({ clock }).connect();
    await buckets.leases.create('leader', { v: 1, epoch: 1, holderId: 'a', holderNodeId: 'n', renewal: 0 });

    await clock.advance(2_999);
    expect(await buckets.leases.get('leader')).toBeDefined();
    await clock.advance(1);

    expect(await buckets.leases.get('leader')).toBeUndefined();
  });
});
