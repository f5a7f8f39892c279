import { expect, it, onTestFinished } from 'vitest';
import { ContainerCgroups } from '../../../../agent/metrics/container-cgroups.ts';
import type { HostEngine } from '../../../../agent/metrics/container-inventory.ts';
import { KernelFiles } from '../../../../agent/metrics/kernel-files.ts';
import { createNodeMetrics } from '../../../../agent/metrics/node-metrics.ts';
import { createLog } from '../../../../runtime/log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { kernelTree } from '../../../support/kernel-tree.ts';
import { pageText } from '../../../support/page-text.ts';
import { metricValue } from '../../../support/prometheus-text.ts';

it('says on the page when the engine does not tell which containers run', async () => {
  let answers = false;
  const engine: HostEngine = {
    listRaw: async () => {
      if (!answers) throw new Error('dockerd hangs');
      return [];
    },
    inspectRaw: async () => ({}),
    allEvents: async (_onEvent, onEnd, signal) => signal.addEventListener('abort', onEnd),
  };
  const clock = new FakeClock();
  const roots = kernelTree({});
  const files = new KernelFiles(10);
  const cgroups = new ContainerCgroups(files, roots);
  const log = createLog('test', 'silent');
  const own = { nodeId: 'n1', version: '1', measureLayers: false };
  const node = createNodeMetrics({ engine, clock, log, files, cgroups, roots, ...own });
  const ended = new AbortController();
  const watching = node.watch(ended.signal);
  onTestFinished(async () => {
    ended.abort();
    await watching;
  });
  const scrapeError = async () => {
    const text = pageText(await node.page({ ownContainers: [], dockerVersion: undefined }));
    return metricValue(text, 'container_scrape_error');
  };

  await clock.advance(1_000);
  expect(await scrapeError()).toBe(1);
  answers = true;
  await clock.advance(5_000);
  expect(await scrapeError()).toBe(0);
});
