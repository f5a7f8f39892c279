/** Alerts on a store in memory: written down, acted on once, by whoever leads. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AlertBook } from '../../../../coordinator/alerts/alert-book.ts';
import { AlertLoop } from '../../../../coordinator/alerts/alert-loop.ts';
import { alertMetrics } from '../../../../coordinator/alerts/alert-metrics.ts';
import type { AlertReport } from '../../../../coordinator/alerts/alert-report.ts';
import { coordinatorMetrics } from '../../../../coordinator/loops/coordinator-metrics.ts';
import { openStore, type Store } from '../../../../coordinator/store/store.ts';
import type { Wishes } from '../../../../coordinator/wishes/wishes.ts';
import { ClusterEvent } from '../../../../model/messages.ts';
import { PlimsollError } from '../../../../runtime/errors.ts';
import { createLog } from '../../../../runtime/log.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { aReport } from '../../../support/alerts.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';
import { aRollout, aSpec } from '../../../support/snapshots.ts';
import { wishesOn } from '../../../support/wishes.ts';

const registry = createMetrics('test', '0');
const log = createLog('test', 'silent');
const metrics = coordinatorMetrics(registry);

describe('alerts on a cluster', () => {
  let clock: FakeClock;
  let server: MemoryServer;
  let connection: MemoryConnection;
  let store: Store;
  let wishes: Wishes;
  let book: AlertBook;
  let listed: readonly AlertReport[] | Error;
  /** When Alertmanager began. */
  let startedAtMs: number;
  let serviceId: string;

  beforeEach(async () => {
    clock = new FakeClock();
    server = new MemoryServer({ clock });
    connection = server.connect();
    store = await openStore({ buckets: connection.buckets, clock });
    wishes = wishesOn(store, connection, clock);
    book = new AlertBook({
      buckets: connection.buckets,
      bus: connection.bus,
      store,
      snapshot: () => store.snapshot(),
      clock,
      log,
      metrics,
    });
    listed = [];
    startedAtMs = 0;
    const Labels = { 'plimsoll.alerts': 'scale-up,restart,rollback', 'plimsoll.autoscale.max': '5' };
    ({ id: serviceId } = await wishes.services.create(aSpec({ Name: 'web', Labels })));
  });

  afterEach(() => store.close());

  function aLeader(services: Partial<Wishes['services']> = {}): AlertLoop {
    const firing = async () => {
      if (listed instanceof Error) throw listed;
      return { reports: [...listed], startedAtMs };
    };
    return new AlertLoop({
      buckets: connection.buckets,
      bus: connection.bus,
      store,
      wishes: { services: { ...pick(wishes.services), ...services } },
      alertBook: book,
      alertmanager: { firing },
      clock,
      log,
      metrics,
      alertMetrics: alertMetrics(registry),
      holdsLease: () => true,
    });
  }

  const pick = (services: Wishes['services']): Pick<Wishes['services'], 'update' | 'undoUpdate' | 'rollbackTo'> => ({
    rollbackTo: (...words) => services.rollbackTo(...words),
    update: (...words) => services.update(...words),
    undoUpdate: (...words) => services.undoUpdate(...words),
  });

  const fires = (action: string, changes: Partial<AlertReport> = {}) =>
    aReport({ action, ...withLabels(action), ...changes });
  const withLabels = (action: string) => ({
    labels: { alertname: 'WebBusy', plimsoll_service: 'web', plimsoll_action: action },
  });
  const known = () => store.snapshot().alerts.get(serviceId)?.value;
  const service = () => store.snapshot().services.get(serviceId)?.value;
  const forced = () => service()?.spec.TaskTemplate.ForceUpdate ?? 0;
  const events = () =>
    server.events
      .map(({ message }) => ClusterEvent.parse(message))
      .filter(({ action }) => action === 'alert')
      .map(({ attributes }) => `${attributes['alert.action']} ${attributes['alert.outcome']}`);

  it('are written down once, however often they are told of', async () => {
    for (let time = 0; time < 3; time += 1) await book.take([fires('scale-up'), fires('scale-up')]);
    expect(known()?.alerts).toMatchObject([{ status: 'firing', action: 'scale-up' }]);
    expect(events()).toEqual(['scale-up firing']);
    await book.take([fires('scale-up', { status: 'resolved' })]);
    await book.take([fires('scale-up')]);
    expect(known()?.alerts).toMatchObject([{ status: 'resolved' }]);
    expect(events()).toEqual(['scale-up firing', 'scale-up resolved']);
  });

  it('two coordinators may be told at once', async () => {
    await Promise.all([book.take([fires('scale-up')]), book.take([fires('restart', { fingerprint: 'b2' })])]);
    expect(
      known()
        ?.alerts.map(({ fingerprint }) => fingerprint)
        .toSorted(),
    ).toEqual(['a1', 'b2']);
  });

  it('that ask what nobody allows, or of nobody, are named and change nothing', async () => {
    const unknown = { labels: { plimsoll_service: 'api', plimsoll_action: 'restart' } };
    const taken = await book.take([fires('freeze'), fires('restart', unknown), fires('reboot')]);
    expect(taken.counts).toEqual({ 'not-allowed': 1, 'unknown-service': 1, unreadable: 1, total: 3 });
    expect(taken.ignored).toHaveLength(3);
    expect(known()).toBeUndefined();
  });

  it('have a service restarted once, by whichever leader', async () => {
    await book.take([fires('restart')]);
    await aLeader().turn();
    expect(forced()).toBe(1);
    await book.take([fires('restart')]);
    await aLeader().turn();
    expect(forced()).toBe(1);
    expect(known()?.deeds).toMatchObject([{ action: 'restart', outcome: 'done' }]);
    expect(events()).toEqual(['restart firing', 'restart done']);
  });

  it('a leader that dies before or after it restarts a service leaves it restarted once', async () => {
    await book.take([fires('restart')]);
    const dying = async () => {
      throw new PlimsollError('timeout', 'no answer');
    };
    await expect(aLeader({ update: dying }).turn()).rejects.toThrow('no answer');
    expect([forced(), known()?.deeds[0]?.outcome]).toEqual([0, 'begun']);
    const dyingAfter: Wishes['services']['update'] = async (...words) => {
      await wishes.services.update(...words);
      return dying();
    };
    await expect(aLeader({ update: dyingAfter }).turn()).rejects.toThrow('no answer');
    expect(forced()).toBe(1);
    await aLeader().turn();
    expect([forced(), known()?.deeds[0]?.outcome]).toEqual([1, 'done']);
  });

  it('a service that cannot be restarted keeps no other from it', async () => {
    const Labels = { 'plimsoll.alerts': 'restart' };
    await wishes.services.create(aSpec({ Name: 'api', Labels }));
    const labels = { alertname: 'ApiStuck', plimsoll_service: 'api', plimsoll_action: 'restart' };
    await book.take([fires('restart'), fires('restart', { fingerprint: 'b2', labels })]);
    const asked: string[] = [];
    const failing: Wishes['services']['update'] = async (_id, { Name }) => {
      asked.push(Name);
      throw new PlimsollError('timeout', 'no answer');
    };
    await expect(aLeader({ update: failing }).turn()).rejects.toThrow('no answer');
    expect(asked.toSorted()).toEqual(['api', 'web']);
  });

  it('what was done about an alert that fires still is not forgotten for one that comes and goes', async () => {
    await book.take([fires('restart')]);
    await aLeader().turn();
    for (let episode = 1; episode <= 60; episode += 1) {
      const startsAtMs = clock.wallMs() + episode;
      await book.take([fires('rollback', { fingerprint: 'b2', startsAtMs })]);
      await aLeader().turn();
    }
    expect(known()?.deeds.map(({ action, outcome }) => `${action} ${outcome}`)).toContain('restart done');
    expect(known()?.deeds.length).toBeLessThanOrEqual(52);
    expect(forced()).toBe(1);
  });

  it('a service somebody changes meanwhile is restarted from what it is then', async () => {
    await book.take([fires('restart')]);
    const lost: Wishes['services']['update'] = async (id, wanted) => wishes.services.update(id, wanted, 999);
    await aLeader({ update: lost }).turn();
    expect([forced(), known()?.deeds]).toEqual([0, []]);
    await aLeader().turn();
    expect(forced()).toBe(1);
  });

  it('have an update rolled back that they followed', async () => {
    const entry = store.snapshot().services.get(serviceId);
    if (entry === undefined) throw new Error('there is no service');
    const { TaskTemplate } = entry.value.spec;
    const newer = { ...TaskTemplate, ContainerSpec: { ...TaskTemplate.ContainerSpec, Image: 'a:2' } };
    await wishes.services.update(serviceId, { ...entry.value.spec, TaskTemplate: newer }, entry.revision);
    await connection.buckets.raiseFence(1);
    const rollout = aRollout({ ...entry.value, revision: 2 }, { startedAtMs: clock.wallMs(), state: 'completed' });
    const { rollouts } = connection.buckets.fenced({ epoch: 1 });
    await store.reached('rollouts', await rollouts.create(serviceId, rollout));

    await book.take([fires('rollback', { startsAtMs: clock.wallMs() + 1_000 })]);
    await aLeader().turn();
    expect(service()).toMatchObject({
      change: 'rollback',
      spec: { TaskTemplate: { ContainerSpec: { Image: 'a:1' } } },
    });
  });

  it('are compared with what Alertmanager lists; while it does not answer they stay as they are', async () => {
    await book.take([fires('scale-up')]);
    await clock.advance(10_000);
    listed = new Error('away');
    await aLeader().sync();
    expect(known()?.alerts).toMatchObject([{ status: 'firing' }]);
    listed = [fires('restart', { fingerprint: 'b2', updatedAtMs: clock.wallMs() })];
    await aLeader().sync();
    expect(known()?.alerts).toMatchObject([
      { fingerprint: 'a1', status: 'resolved' },
      { fingerprint: 'b2', status: 'firing' },
    ]);
  });

  it('that are listed with a count nobody can read fire still', async () => {
    await book.take([fires('scale-up', { replicas: 3 })]);
    await clock.advance(10_000);
    listed = [fires('scale-up', { replicas: Number.NaN, updatedAtMs: clock.wallMs() })];
    await aLeader().sync();
    expect(known()?.alerts).toMatchObject([{ status: 'firing', replicas: 3 }]);
  });

  it('from before Alertmanager began anew are not over because it does not list them yet', async () => {
    await book.take([fires('scale-up')]);
    await clock.advance(10_000);
    startedAtMs = clock.wallMs();
    await aLeader().sync();
    expect(known()?.alerts).toMatchObject([{ status: 'firing' }]);
    await clock.advance(120_000);
    await aLeader().sync();
    expect(known()?.alerts).toMatchObject([{ status: 'resolved' }]);
  });

  it('are forgotten with their service', async () => {
    await book.take([fires('scale-up')]);
    await wishes.services.remove(serviceId);
    await aLeader().turn();
    expect(known()).toBeUndefined();
  });
});
