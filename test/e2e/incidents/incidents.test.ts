/** The table of incidents: every one is made to happen, and told in its own exact words. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, sharedCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { occupyPort } from '../../support/occupied-port.ts';
import { comparable, type Incident, isMeasured, metricPages, says, tellingOf } from './incident.ts';
import { startRefusingRegistry } from './refusing-registry.ts';
import { afterPartition, OCCUPIED_PORT, whileNodesAreIll, whileNodesAreWell, whileNodesTakeNoTasks } from './table.ts';

const PATIENCE_MS = 60_000;

describe('incidents', () => {
  let cluster: Cluster;
  let pagesBefore = '';
  const told = new Map<string, string>();
  const undo: (() => unknown)[] = [];

  /** All at once: most of the time is spent waiting. */
  const happen = async (incidents: readonly Incident[]) => {
    await Promise.all(incidents.map(({ service, create }) => cluster.create(service, ...create)));
    await Promise.all(
      incidents.map(async ({ service, befall }) => told.set(service, comparable((await befall?.(cluster)) ?? ''))),
    );
  };

  /** Waits until all three tell it, then compares what they tell. */
  const isTold = async ({ service, refusal = '', error, why = error, metric }: Incident) => {
    expect(told.get(service)).toBe(refusal);
    const isShown = async () => {
      const telling = await tellingOf(cluster, service);
      const hasError = error === '' ? telling.errors.length === 0 : telling.errors.includes(error);
      if (hasError && says(telling.why, why)) return true;
      throw new Error(JSON.stringify(telling, undefined, 2));
    };
    await eventually(isShown, { timeoutMs: PATIENCE_MS, intervalMs: 300, what: `${service} to tell ${error}; ${why}` });
    const measured = async () => isMeasured(metric, pagesBefore, await metricPages(cluster));
    await eventually(measured, { timeoutMs: PATIENCE_MS, intervalMs: 300, what: JSON.stringify(metric) });
  };

  beforeAll(async () => {
    cluster = await sharedCluster();
    pagesBefore = await metricPages(cluster);
    await cluster.try('config', 'create', 'incident-config', '/etc/hostname');
    await cluster.try('secret', 'create', 'incident-secret', '/etc/hostname');
    const registry = await startRefusingRegistry(cluster, 'h2');
    const other = await occupyPort(cluster, 'h2', OCCUPIED_PORT);
    undo.push(registry.stop, other.stop);
  });

  afterAll(async () => {
    for (const each of undo) await each();
    await cluster.clear();
    await cluster.try('config', 'rm', 'incident-config');
    await cluster.try('secret', 'rm', 'incident-secret');
    for (const host of cluster.lab.hosts) {
      for (const volume of ['incident-tiny', 'incident-data']) {
        await cluster.engine(host.name, 'volume', 'rm', '--force', volume);
      }
    }
  });

  describe('while nodes take no tasks', () => {
    beforeAll(async () => {
      await cluster.docker('node', 'update', '--availability', 'pause', 'h1');
      await cluster.docker('node', 'update', '--availability', 'drain', 'h3');
      await happen(whileNodesTakeNoTasks);
    });

    afterAll(async () => {
      for (const host of ['h1', 'h3']) await cluster.docker('node', 'update', '--availability', 'active', host);
    });

    it.each(whileNodesTakeNoTasks)('$name', (incident) => expect(isTold(incident)).resolves.toBeUndefined());
  });

  describe('while the cluster is well', () => {
    beforeAll(() => happen(whileNodesAreWell));

    it.each(whileNodesAreWell)('$name', (incident) => expect(isTold(incident)).resolves.toBeUndefined());
  });

  describe('while nodes are ill', () => {
    beforeAll(async () => {
      await cluster.clear();
      const all = [...whileNodesAreIll, ...afterPartition];
      await happen(all);
      for (const { service } of all) await cluster.settled(service, 1);
      await cluster.lab.command('freeze', 'engine:h2');
      undo.push(() => cluster.lab.command('thaw', 'engine:h2'));
      await cluster.lab.command('cut', 'h3');
      undo.push(() => cluster.lab.command('heal', 'h3'));
    });

    it.each(whileNodesAreIll)('$name', (incident) => expect(isTold(incident)).resolves.toBeUndefined());

    describe('and well again', () => {
      beforeAll(async () => {
        const isStopped = async () =>
          (await cluster.hostContainers('h3')).every(
            (container) => container.service !== 'cut-off' || !container.running,
          );
        await eventually(isStopped, { timeoutMs: PATIENCE_MS, what: 'the task that was cut off to be stopped' });
        await cluster.lab.command('heal', 'h3');
        await cluster.lab.command('thaw', 'engine:h2');
      });

      it.each(afterPartition)('$name', (incident) => expect(isTold(incident)).resolves.toBeUndefined());
    });
  });
});
