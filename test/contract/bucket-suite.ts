/** What every implementation of buckets must do; run on memory and on a real NATS server. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Buckets } from '../../bus/buckets.ts';
import type { BucketView } from '../../bus/bus.ts';
import { FencedOff } from '../../bus/record-bucket.ts';
import { eventually } from '../support/eventually.ts';
import { aClaim, aSubnet, subnetKey } from '../support/records.ts';

export interface ContractSubject {
  /** Two connections to one server, its buckets empty. */
  readonly first: Buckets;
  readonly second: Buckets;
  /** Writes text under a key without looking at it. */
  corrupt(bucket: 'plim_name', key: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

function aNewSubnet(node: string) {
  return { key: subnetKey(node), value: aSubnet('10.0.0.0/26', 1, node), expectedRevision: undefined };
}

function keysOf(view: BucketView<unknown>): string[] {
  return [...view.entries.keys()].sort();
}

/** Declares the tests; `start` is called before each. */
export function bucketContract(start: () => Promise<ContractSubject>): void {
  let subject: ContractSubject;
  beforeEach(async () => {
    subject = await start();
  });
  afterEach(async () => {
    await subject.stop();
  });

  test('create() stores a record once and refuses it the second time', async () => {
    const revision = await subject.first.claims.create('service.web', aClaim('web'));

    await expect(subject.second.claims.create('service.web', aClaim('other'))).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await subject.second.claims.get('service.web')).toMatchObject({ value: aClaim('web'), revision });
  });

  test('create() takes a key again after it was deleted', async () => {
    await subject.first.claims.create('service.web', aClaim('web'));
    await subject.first.claims.delete('service.web');

    await subject.second.claims.create('service.web', aClaim('again'));

    expect((await subject.first.claims.get('service.web'))?.value.ownerName).toBe('again');
  });

  test('update() wins only with the revision that is there', async () => {
    const revision = await subject.first.claims.create('service.web', aClaim('one'));
    await subject.second.claims.update('service.web', aClaim('two'), revision);

    await expect(subject.first.claims.update('service.web', aClaim('three'), revision)).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(subject.first.claims.delete('service.web', revision)).rejects.toMatchObject({ code: 'conflict' });
    expect((await subject.first.claims.get('service.web'))?.value.ownerName).toBe('two');
  });

  test('of twenty writers that update one revision at once, one wins', async () => {
    const revision = await subject.first.claims.create('service.web', aClaim('start'));

    const attempts = Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? subject.first : subject.second).claims.update('service.web', aClaim(`w${index}`), revision),
    );
    const results = await Promise.allSettled(attempts);

    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });

  test('get() of an absent or deleted key is undefined', async () => {
    await subject.first.claims.create('service.gone', aClaim('gone'));
    await subject.first.claims.delete('service.gone');

    expect(await subject.first.claims.get('service.never')).toBeUndefined();
    expect(await subject.first.claims.get('service.gone')).toBeUndefined();
  });

  test('watch() has the content when it resolves and follows writes and deletes', async () => {
    await subject.first.claims.create('service.old', aClaim('old'));
    const view = await subject.second.claims.watch();
    expect(keysOf(view)).toEqual(['service.old']);
    expect(view.current).toBe(true);

    const revision = await subject.first.claims.create('service.new', aClaim('new'));
    await view.reached(revision);
    expect(keysOf(view)).toEqual(['service.new', 'service.old']);

    await subject.first.claims.delete('service.old');
    await eventually(() => keysOf(view).length === 1);
    expect(keysOf(view)).toEqual(['service.new']);
    await view.close();
  });

  test('watch() of an empty bucket resolves and sees the first write', async () => {
    const view = await subject.first.claims.watch();
    expect(view.entries.size).toBe(0);

    await view.reached(await subject.second.claims.create('service.web', aClaim('web')));

    expect(keysOf(view)).toEqual(['service.web']);
    await view.close();
  });

  test('watch() with a filter shows only what fits it', async () => {
    const view = await subject.first.claims.watch('port.tcp.*');

    await subject.second.claims.create('service.web', aClaim('web'));
    await view.reached(await subject.second.claims.create('port.tcp.80', aClaim('web')));

    expect(keysOf(view)).toEqual(['port.tcp.80']);
    await view.close();
  });

  test('onChange() names the keys that changed until it is stopped', async () => {
    const view = await subject.first.claims.watch();
    const seen: string[] = [];
    const stop = view.onChange((keys) => seen.push(...keys));

    await view.reached(await subject.second.claims.create('service.a', aClaim('a')));
    stop();
    await view.reached(await subject.second.claims.create('service.b', aClaim('b')));

    expect(seen).toEqual(['service.a']);
    await view.close();
  });

  test('doors to one shared bucket see only their own kind, without its prefix', async () => {
    const view = await subject.first.epochs.watch();
    await subject.second.clusters.create('main', {
      v: 1,
      id: aClaim('c').ownerId,
      taskHistoryLimit: 5,
      labels: {},
      createdAtMs: 0,
      updatedAtMs: 0,
    });
    await view.reached(await subject.second.epochs.create('leader', { v: 1, epoch: 7 }));

    expect([...view.entries.values()].map((entry) => [entry.key, entry.value.epoch])).toEqual([['leader', 7]]);
    expect(keysOf(await subject.first.clusters.watch())).toEqual(['main']);
    await view.close();
  });

  test('a damaged record is quarantined, named, and healed by the next good write', async () => {
    const view = await subject.first.claims.watch();

    await subject.corrupt('plim_name', 'service.bad', '{"v":1,"ownerId":42}');
    await eventually(() => view.quarantined.size === 1);
    await subject.corrupt('plim_name', 'service.worse', 'not JSON');
    await eventually(() => view.quarantined.size === 2);

    expect(view.entries.size).toBe(0);
    expect(view.quarantined.get('service.bad')).toContain('ownerId');
    expect(await subject.first.claims.get('service.bad')).toBeUndefined();
    await view.reached(await subject.second.claims.put('service.bad', aClaim('good')));
    expect(keysOf(view)).toEqual(['service.bad']);
    expect([...view.quarantined.keys()]).toEqual(['service.worse']);
    await view.close();
  });

  test('reached() of a revision that never comes rejects with timeout', async () => {
    const view = await subject.first.claims.watch();

    await expect(view.reached(1_000_000, 0)).rejects.toMatchObject({ code: 'timeout' });
    await view.close();
  });

  test('a fenced leader writes, updates and deletes; a former one is refused, new keys included', async () => {
    if (!subject.first.serverFences) return;
    const former = subject.first.fenced(await subject.first.raiseFence(1));
    const revision = await former.nets.create(subnetKey('b'), aSubnet('10.0.0.0/26'));
    const leader = subject.second.fenced(await subject.second.raiseFence(2));

    await expect(former.nets.create(subnetKey('c'), aSubnet('x'))).rejects.toMatchObject({ code: 'conflict' });
    await expect(former.nets.put(subnetKey('d'), aSubnet('x'))).rejects.toMatchObject({ code: 'conflict' });
    await expect(former.nets.update(subnetKey('b'), aSubnet('x'), revision)).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(former.nets.delete(subnetKey('b'))).rejects.toMatchObject({ code: 'conflict' });
    const next = await leader.nets.update(subnetKey('b'), aSubnet('10.0.0.64/26', 2), revision);
    await expect(leader.nets.update(subnetKey('b'), aSubnet('x'), revision)).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(leader.nets.create(subnetKey('b'), aSubnet('x'))).rejects.toMatchObject({ code: 'conflict' });
    await leader.nets.delete(subnetKey('b'), next);
    await leader.nets.create(subnetKey('b'), aSubnet('10.0.0.128/26', 2));

    expect(keysOf(await subject.first.nets.watch())).toEqual([subnetKey('b')]);
  });

  test('of many writes at once all happen, each over the revision it expects, under the fence', async () => {
    if (!subject.first.serverFences) return;
    const leader = subject.first.fenced(await subject.first.raiseFence(1));
    const before = await leader.nets.create(subnetKey('a'), aSubnet('10.0.0.0/26', 1, 'a'));
    const gone = await leader.nets.create(subnetKey('b'), aSubnet('10.0.0.64/26', 1, 'b'));

    const outcomes = await leader.nets.writeAll([
      aNewSubnet('c'),
      { key: subnetKey('a'), value: aSubnet('10.0.1.0/26', 1, 'a'), expectedRevision: before },
      { key: subnetKey('b'), value: undefined, expectedRevision: gone },
      aNewSubnet('d'),
    ]);

    const view = await subject.second.nets.watch();
    expect(keysOf(view)).toEqual(['a', 'c', 'd'].map(subnetKey).sort());
    const [c, a, , d] = outcomes;
    const revisionOf = (name: string) => ({ revision: view.entries.get(subnetKey(name))?.revision });
    expect([c, a, d]).toEqual([revisionOf('c'), revisionOf('a'), revisionOf('d')]);
    await view.close();
  });

  test('of many writes at once one that expects another revision fails alone, wherever it stands', async () => {
    if (!subject.first.serverFences) return;
    const leader = subject.first.fenced(await subject.first.raiseFence(1));
    const there = await leader.nets.create(subnetKey('a'), aSubnet('10.0.0.0/26', 1, 'a'));
    const stale = { key: subnetKey('a'), value: aSubnet('x', 1, 'a'), expectedRevision: there + 1 };

    const first = await leader.nets.writeAll([stale, aNewSubnet('b'), aNewSubnet('c')]);
    const last = await leader.nets.writeAll([aNewSubnet('d'), aNewSubnet('e'), aNewSubnet('a')]);

    const refused = { error: expect.objectContaining({ code: 'conflict' }) };
    expect(first).toEqual([refused, { revision: expect.any(Number) }, { revision: expect.any(Number) }]);
    expect(last).toEqual([{ revision: expect.any(Number) }, { revision: expect.any(Number) }, refused]);
    const view = await subject.second.nets.watch();
    expect(keysOf(view)).toEqual(['a', 'b', 'c', 'd', 'e'].map(subnetKey).sort());
    await view.close();
  });

  test('of many writes at once of a former leader none happens', async () => {
    if (!subject.first.serverFences) return;
    const former = subject.first.fenced(await subject.first.raiseFence(1));
    await subject.second.raiseFence(2);

    const outcomes = await former.nets.writeAll(['a', 'b', 'c'].map(aNewSubnet));

    const refused = { error: expect.any(FencedOff) };
    expect(outcomes).toEqual([refused, refused, refused]);
    const view = await subject.second.nets.watch();
    expect(view.entries.size).toBe(0);
    await view.close();
  });

  test('two times fifty writes at once keep their revisions apart', async () => {
    if (!subject.first.serverFences) return;
    const fence = await subject.first.raiseFence(1);
    const leader = subject.first.fenced(fence);
    const names = (of: string) => Array.from({ length: 50 }, (_, at) => aNewSubnet(`${of}${at}`));

    const outcomes = await Promise.all([leader.nets.writeAll(names('a')), leader.nets.writeAll(names('b'))]);

    const view = await subject.second.nets.watch();
    const stored = [...view.entries.values()].map(({ revision }) => revision).sort((a, b) => a - b);
    const answered = outcomes
      .flat()
      .map((outcome) => ('revision' in outcome ? outcome.revision : 0))
      .sort((a, b) => a - b);
    expect(answered).toEqual(stored);
    expect(stored).toHaveLength(100);
    await view.close();
  });

  test('a lower epoch cannot raise the fence over a higher one, and an unraised epoch has no doors', async () => {
    if (!subject.first.serverFences) return;
    await subject.first.raiseFence(5);

    await expect(subject.second.raiseFence(4)).rejects.toMatchObject({ code: 'conflict' });
    expect(() => subject.second.fenced({ epoch: 4 })).toThrow('its fence was never raised');
  });
}
