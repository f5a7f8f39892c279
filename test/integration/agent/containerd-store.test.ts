import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DockerEngine } from '../../../agent/engine/docker-engine.ts';
import { ContainerCgroups } from '../../../agent/metrics/container-cgroups.ts';
import { KernelFiles } from '../../../agent/metrics/kernel-files.ts';
import { createNodeMetrics, type NodeMetrics } from '../../../agent/metrics/node-metrics.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { createLog } from '../../../runtime/log.ts';
import { eventually } from '../../support/eventually.ts';
import { pageText } from '../../support/page-text.ts';
import { type PrivateEngine, startPrivateEngine, testImage } from '../../support/private-engine.ts';
import { metricValue } from '../../support/prometheus-text.ts';

/** The first start on a machine makes the tree the engine lives in. */
const FIRST_START_MS = 300_000;
const SIZE = 1 << 20;

describe("an engine that keeps images and layers in containerd's store", () => {
  const log = createLog('test', 'silent');
  const ended = new AbortController();
  let engine: PrivateEngine;
  let node: NodeMetrics;
  let watching: Promise<void>;

  beforeAll(async () => {
    engine = await startPrivateEngine({ release: 'modern', imageStore: 'containerd' });
    const files = new KernelFiles(100);
    const roots = { procRoot: '/proc', sysRoot: '/sys', rootfs: '/' };
    const own = { engine: new DockerEngine(engine.address, systemClock, log), clock: systemClock, log, files, roots };
    const cgroups = new ContainerCgroups(files, roots);
    node = createNodeMetrics({ ...own, cgroups, measureLayers: true, nodeId: 'node1', version: '0.0.0' });
    watching = node.watch(ended.signal);
  }, FIRST_START_MS);
  afterAll(async () => {
    ended.abort();
    await watching;
    await engine?.stop();
  });

  it('has its containers named and measured, their writable layers too', async () => {
    const lines = `i=0; while [ $i -lt ${SIZE / 1024} ]; do echo ${'x'.repeat(1023)}; i=$((i+1)); done > /file`;
    await engine.docker('run', '-d', '--name', 'writer', testImage, 'sh', '-c', `${lines}; sleep 1000`);
    const isMeasured = async () => {
      const page = pageText(await node.page({ ownContainers: [], dockerVersion: '1' }));
      return metricValue(page, 'container_fs_usage_bytes', { name: 'writer' }) >= SIZE ? page : undefined;
    };

    const page = await eventually(isMeasured, { what: 'the layer is measured', timeoutMs: 90_000 });

    expect(metricValue(page, 'container_fs_usage_bytes', { name: 'writer' })).toBeLessThan(2 * SIZE);
    expect(metricValue(page, 'container_memory_usage_bytes', { name: 'writer', image: testImage })).toBeGreaterThan(0);
  });
});
