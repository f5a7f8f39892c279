import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../runtime/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';
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

  test('a reader that asks a follower may be behind, and its write then conflicts', async () => {
    const clock = new FakeClock();
    const server = new MemoryServer({ clock });
    const coordinator = server.connect('coordinator').buckets.claims;
    const behind = server.connect('node', { reads: 'nearest' }).buckets.claims;
    const revision = await coordinator.create('service.web', aClaim('old'));
    await clock.advance(1_000);
    await coordinator.update('service.web', aClaim('new'), revision);
    server.followerLagMs = 500;

    const seen = await behind.get('service.web');
    expect(seen?.value.ownerName).toBe('old');
    await expect(behind.update('service.web', aClaim('x'), seen?.revision ?? 0)).rejects.toMatchObject({
      code: 'conflict',
    });
    await clock.advance(500);
    expect((await behind.get('service.web'))?.value.ownerName).toBe('new');
  });

  test('without a leader of JetStream requests time out while messages go on', async () => {
    const clock = new FakeClock();
    const server = new MemoryServer({ clock });
    const { bus, buckets } = server.connect();
    const heard: string[] = [];
    bus.subscribe('plim.beat.*', z.string(), (text) => heard.push(text));
    server.hasJetStreamLeader = false;

    const writing = buckets.claims.create('service.web', aClaim('web')).catch((error) => error.code);
    bus.publish('plim.beat.a', 'alive');
    await clock.advance(15_000);

    expect([await writing, heard]).toEqual(['timeout', ['alive']]);
    server.hasJetStreamLeader = true;
    await buckets.claims.create('service.web', aClaim('web'));
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
