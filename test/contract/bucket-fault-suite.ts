/** What buckets must do on a bad day; run on memory and on a real NATS server behind proxies. */
import { expect } from 'vitest';
import type { BucketView } from '../../bus/bus.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import { eventually } from '../support/eventually.ts';
import { aClaim, aSubnet, subnetKey } from '../support/records.ts';
import type { FaultyConnection, FaultyServer } from './faulty-server.ts';
import { sideBySide } from './side-by-side.ts';

/** A heartbeat tells of the last message after 2 s, a comparison with the stream comes every 5 s; machines may be slow. */
const NOTICED_MS = 30_000;

interface Scene {
  readonly server: FaultyServer;
  readonly first: FaultyConnection;
  readonly second: FaultyConnection;
}

const names = (view: BucketView<unknown>) => [...view.entries.keys()].sort();

function shows(view: BucketView<unknown>, ...keys: string[]): Promise<boolean> {
  const what = `the view shows ${keys.join()}`;
  return eventually(() => view.current && names(view).join() === keys.join(), { timeoutMs: NOTICED_MS, what });
}

/** Declares the tests, each with a server of its own from `start`: they mostly wait, so they run side by side. */
export function bucketFaultContract(start: () => Promise<FaultyServer>, atATime: number): void {
  const declare = sideBySide(atATime);
  const test = (name: string, work: (scene: Scene) => Promise<void>) =>
    declare(name, async () => {
      const server = await start();
      try {
        await work({ server, first: await server.connect(), second: await server.connect() });
      } finally {
        await server.stop();
      }
    });

  test('a write whose acknowledgement is lost is known by reading back, unless somebody wrote since', async ({
    first,
    second,
  }) => {
    const { claims } = first.buckets;
    const revision = await claims.create('service.b', aClaim('b'));
    await claims.create('service.c', aClaim('c'));
    first.loseAcknowledgements(4);

    const created = claims.create('service.a', aClaim('a'));
    const updated = claims.update('service.b', aClaim('b2'), revision);
    const deleted = claims.delete('service.c');
    const overwritten = claims.put('service.d', aClaim('d')).catch((error) => error.code);
    await eventually(() => second.buckets.claims.get('service.d'), {
      timeoutMs: NOTICED_MS,
      what: 'the last write has happened',
    });
    await second.buckets.claims.put('service.d', aClaim('other'));

    expect((await second.buckets.claims.get('service.a'))?.revision).toBe(await created);
    expect((await second.buckets.claims.get('service.b'))?.revision).toBe(await updated);
    await deleted;
    expect(await second.buckets.claims.get('service.c')).toBeUndefined();
    expect(await overwritten).toBe('timeout');
    expect(await first.metrics.metrics()).toContain('plimsoll_bus_lost_acknowledgements_total{bucket="plim_name"} 3');
  });

  test('many writes at once whose acknowledgement is lost are known by reading back', async ({ first }) => {
    if (!first.buckets.serverFences) return;
    const { nets } = first.buckets.fenced(await first.buckets.raiseFence(1));
    first.loseAcknowledgements(1);

    const making = ['a', 'b', 'c'].map((name) => ({
      key: subnetKey(name),
      value: aSubnet('10.0.0.0/26', 1, name),
      expectedRevision: undefined,
    }));
    const outcomes = await nets.writeAll(making);

    const stored = await Promise.all(making.map(async ({ key }) => (await nets.get(key))?.revision));
    expect(outcomes).toEqual(stored.map((revision) => ({ revision })));
    expect(await first.metrics.metrics()).toContain('plimsoll_bus_lost_acknowledgements_total{bucket="plim_net"} 1');
  });

  test('a message a watch misses is noticed by the next one, or by the next heartbeat', async ({ first, second }) => {
    const view = await first.buckets.claims.watch();
    first.loseDeliveries(1);
    await second.buckets.claims.create('service.a', aClaim('a'));
    await second.buckets.claims.create('service.b', aClaim('b'));
    await shows(view, 'service.a', 'service.b');

    first.loseDeliveries(1);
    await second.buckets.claims.create('service.c', aClaim('c'));

    await shows(view, 'service.a', 'service.b', 'service.c');
    expect(await first.metrics.metrics()).toMatch(/watch_rebuilds_total\{bucket="plim_name",reason="gap"\} 2/);
  });

  test('a first reading that misses a message fails at once, and the next one is whole', async ({ first, second }) => {
    await second.buckets.claims.create('service.a', aClaim('a'));
    await second.buckets.claims.create('service.b', aClaim('b'));
    first.loseDeliveries(1);

    await expect(first.buckets.claims.watch()).rejects.toMatchObject({ code: 'unavailable' });

    expect(names(await first.buckets.claims.watch())).toEqual(['service.a', 'service.b']);
  });

  test('behind a cut cable a view is stale and calls fail; after it everything is there', async ({ first, second }) => {
    const view = await first.buckets.claims.watch();

    first.cut();
    await eventually(() => !view.current, { timeoutMs: NOTICED_MS, what: 'the cut is noticed' });
    await expect(first.buckets.claims.get('service.a')).rejects.toMatchObject({ code: 'unavailable' });
    await second.buckets.claims.create('service.a', aClaim('a'));
    first.heal();

    await shows(view, 'service.a');
    await first.buckets.claims.create('service.b', aClaim('b'));
  });

  for (const how of ['purge', 'recreate'] as const) {
    test(`a bucket that was ${how}d is noticed, and what is written then is seen`, async ({
      server,
      first,
      second,
    }) => {
      const view = await first.buckets.claims.watch();
      await second.buckets.claims.create('service.a', aClaim('a'));
      await second.buckets.claims.create('service.b', aClaim('b'));
      await shows(view, 'service.a', 'service.b');

      await server[how]('plim_name');
      await shows(view);
      await second.buckets.claims.create('service.c', aClaim('c'));

      await shows(view, 'service.c');
    });
  }

  test('numbers begin again with a bucket made anew: an old one is refused, unless the same key has got it again', async ({
    server,
    first,
  }) => {
    const { claims } = first.buckets;
    const one = await claims.create('service.a', aClaim('a'));
    const other = await claims.create('service.b', aClaim('b'));

    await server.recreate('plim_name');
    await claims.create('service.b', aClaim('of another history'));
    await expect(claims.update('service.a', aClaim('late'), one)).rejects.toMatchObject({ code: 'conflict' });
    await expect(claims.update('service.b', aClaim('late'), other)).rejects.toMatchObject({ code: 'conflict' });

    // docs/decisions/0034: who holds numbers for long, and why this does no harm.
    await server.recreate('plim_name');
    await claims.create('service.a', aClaim('of a third history'));
    await claims.update('service.a', aClaim('taken for the first one'), one);
  });

  test('a server killed keeps what is on disk and loses what is in memory; everybody comes back by themselves', async ({
    server,
    first,
    second,
  }) => {
    const [node, network] = [derivedId('node', 1), derivedId('network', 1)];
    const endpoints = { v: 1 as const, nodeId: node, networkId: network, endpoints: [], members: [] };
    await second.buckets.claims.create('service.a', aClaim('a'));
    await second.buckets.endpoints.put(`${network}.${node}`, endpoints);
    const claims = await first.buckets.claims.watch();
    const volatile = await first.buckets.endpoints.watch();

    await server.kill();
    await eventually(() => !claims.current && !volatile.current, { timeoutMs: NOTICED_MS, what: 'the end is noticed' });
    await server.restart();

    await shows(claims, 'service.a');
    await shows(volatile);
    const write = () => second.buckets.endpoints.put(`${network}.${node}`, endpoints).catch(() => undefined);
    await eventually(write, { timeoutMs: NOTICED_MS, what: 'the bucket in memory can be written again' });
    await shows(volatile, `${network}.${node}`);
  });

  test('what a frozen server was asked is a timeout, and may happen when it goes on', async ({
    server,
    first,
    second,
  }) => {
    const view = await second.buckets.claims.watch();

    server.freeze();
    const written = first.buckets.claims.create('service.a', aClaim('a')).catch((error) => error.code);
    await eventually(() => !view.current, { timeoutMs: NOTICED_MS, what: 'the silence is noticed' });
    expect(await written).toBe('timeout');
    server.thaw();

    await shows(view, 'service.a');
  });

  test('a fence is lost with its bucket: its leader writes nothing until it raises it again', async ({
    server,
    first,
  }) => {
    if (!first.buckets.serverFences) return;
    const fence = await first.buckets.raiseFence(3);
    await first.buckets.fenced(fence).nets.create(subnetKey('b'), aSubnet('10.0.0.0/26', 3));

    await server.purge('plim_net');
    const blocked = first.buckets.fenced(fence).nets.create(subnetKey('b'), aSubnet('10.0.0.0/26', 3));
    await expect(blocked).rejects.toMatchObject({ code: 'conflict' });
    await first.buckets.raiseFence(3);

    await first.buckets.fenced(fence).nets.create(subnetKey('b'), aSubnet('10.0.0.0/26', 3));
  });
}
