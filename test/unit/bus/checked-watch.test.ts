import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../support/memory-bus.ts';
import { aClaim } from '../../support/records.ts';

describe('a watch', () => {
  let clock: FakeClock;
  let server: MemoryServer;
  let connection: MemoryConnection;
  beforeEach(() => {
    clock = new FakeClock();
    server = new MemoryServer({ clock });
    connection = server.connect();
  });

  test('does nothing any more once its connection is closed', async () => {
    await connection.buckets.claims.watch();
    await connection.bus.close();
    await clock.advance(10_000);
    const after = vi.spyOn(clock, 'after');

    await clock.advance(120_000);

    expect(after).not.toHaveBeenCalled();
  });

  test('whose connection breaks while it starts over tries again as soon as it is back', async () => {
    const view = await connection.buckets.claims.watch();
    await connection.buckets.claims.create('service.web', aClaim('web'));
    server.recreate('plim_name');
    server.hasJetStreamLeader = false;
    await clock.advance(8_000);
    expect(view.current).toBe(false);

    connection.disconnect();
    server.hasJetStreamLeader = true;
    connection.reconnect();
    await clock.advance(300);

    expect([view.current, view.entries.size]).toEqual([true, 0]);
  });

  test('starts over when its consumer is gone and nobody said so', async () => {
    const view = await connection.buckets.statuses.watch();
    server.store('plim_status').dropConsumers();

    await clock.advance(8_000);

    expect(view.current).toBe(true);
    expect(await connection.metrics.metrics()).toContain(
      'watch_rebuilds_total{bucket="plim_status",reason="silent"} 1',
    );
  });
});
