/** Damaged records in every bucket: kept, counted, shown, not acted on; what is whole goes on. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bucketDefinitions } from '../../bus/bucket-definitions.ts';
import { openStore, type Store } from '../../coordinator/store/store.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import { aNodeRecord, nodeIdOf } from '../support/docker-api-server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryServer } from '../support/memory-bus.ts';
import { metricValue } from '../support/prometheus-text.ts';
import { aService, aSpec } from '../support/snapshots.ts';

/** What a damaged disk, a newer version or a foreign program may leave. */
const garbage: readonly (readonly [what: string, text: string])[] = [
  ['nothing', ''],
  ['no JSON', '\0\u0001\ufffd{{{'],
  ['cut short', '{"v":1,"id":"abc'],
  ['a list', '[]'],
  ['null', 'null'],
  ['a number', '17'],
  ['a newer version', '{"v":2,"id":"abc"}'],
  ['wrong types', '{"v":1,"id":5,"spec":[],"labels":"x","nodeId":{},"slot":"1","epoch":null}'],
  ['keys of objects everybody has', '{"__proto__":{"v":1},"constructor":1,"toString":2,"v":1}'],
  ['a megabyte', JSON.stringify({ v: 1, id: 'x'.repeat(1024 * 1024) })],
  ['very deep', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
];

/** Keys as the buckets have them; the last ones are no keys of ours. */
const id = derivedId('anything');
const keysIn: Readonly<Record<string, readonly string[]>> = {
  plim_spec: [`service.${id}`, `node.${id}`, 'cluster.main', 'epoch.leader'],
  plim_name: ['service.web', 'port.tcp.80'],
  plim_node: [id, 'not-an-id'],
  plim_slot: [`${id}.1`, `${id}.${id}`],
  plim_task: [`${id}.${id}`, 'a.b.c.d'],
  plim_status: [`${id}.${id}`],
  plim_net: [`subnet.${id}.${id}`],
  plim_endpoint: [`${id}.${id}`],
  plim_mesh: [id],
  plim_scale: [id],
  plim_rollout: [id],
  plim_lease: ['leader'],
};

describe('damaged records', () => {
  let clock: FakeClock;
  let memory: MemoryServer;
  let connection: ReturnType<MemoryServer['connect']>;
  let store: Store;

  beforeEach(async () => {
    clock = new FakeClock();
    memory = new MemoryServer({ clock });
    connection = memory.connect();
    store = await openStore({ buckets: connection.buckets, clock });
  });

  afterEach(() => store.close());

  it('are known for every bucket there is', () => {
    expect(Object.keys(keysIn).toSorted()).toEqual(
      Object.values(bucketDefinitions)
        .map(({ name }) => name)
        .toSorted(),
    );
  });

  it.each(garbage)('%s: quarantined wherever it lies, counted, and still there', async (_what, text) => {
    await connection.buckets.nodes.create(nodeIdOf('h1'), aNodeRecord('h1'));
    const buckets = Object.values(bucketDefinitions).map(({ name }) => name);
    for (const name of buckets) for (const key of keysIn[name] ?? []) memory.corrupt(name, key, text);
    await clock.advance(100);

    const snapshot = store.snapshot();
    const shown = [snapshot.services, snapshot.nodeSpecs, snapshot.tasks, snapshot.statuses, snapshot.slots];
    expect(shown.map((table) => table.size)).toEqual([0, 0, 0, 0, 0]);
    expect([snapshot.cluster, snapshot.leader, snapshot.nodes.size]).toEqual([undefined, undefined, 1]);
    const damaged = store.damagedRecords().map(({ bucket, key }) => `${bucket} ${key}`);
    expect(damaged).toEqual(
      expect.arrayContaining([`plim_spec service.${id}`, `plim_task a.b.c.d`, `plim_slot ${id}.1`]),
    );
    expect(store.isReadable('services')).toBe(false);
    const page = await connection.metrics.metrics();
    expect(metricValue(page, 'plimsoll_bus_records_quarantined_total')).toBeGreaterThanOrEqual(damaged.length);
    // The lease's bucket forgets by itself.
    const lasting = buckets.filter((name) => name !== 'plim_lease');
    const kept = lasting.flatMap((name) => memory.store(name).content('>'));
    expect(kept.filter(({ data }) => data === text)).toHaveLength(lasting.flatMap((name) => keysIn[name] ?? []).length);
  });

  it("a whole record under another's key does not pass for that one", async () => {
    const [web, node] = [aService({ spec: aSpec({ Name: 'web' }) }), aNodeRecord('h1')];
    const other = derivedId('other');
    memory.corrupt('plim_spec', `service.${other}`, JSON.stringify(web));
    memory.corrupt('plim_node', other, JSON.stringify(node));
    await clock.advance(100);

    expect([store.snapshot().services.size, store.snapshot().nodes.size]).toEqual([0, 0]);
    expect(store.damagedRecords()).toMatchObject([
      { bucket: 'plim_spec', key: `service.${other}`, problem: `it is the record of ${web.id}, under another key` },
      { bucket: 'plim_node', key: other, advice: expect.stringContaining('restart this node') },
    ]);
  });

  it('one that is repaired is as good as any other', async () => {
    const web = aService({ spec: aSpec({ Name: 'web' }) });
    memory.corrupt('plim_spec', `service.${web.id}`, 'x');
    await clock.advance(100);
    expect(store.damagedRecords()).toHaveLength(1);

    memory.corrupt('plim_spec', `service.${web.id}`, JSON.stringify(web));
    await clock.advance(100);

    expect([store.damagedRecords(), store.snapshot().services.size]).toEqual([[], 1]);
  });

  it('the operator is told where to look', () => {
    expect(readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')).toContain('## Damaged records');
  });
});
