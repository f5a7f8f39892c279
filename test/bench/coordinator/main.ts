/**
 * `npm run bench:coordinator`: memory and idle cost of a real coordinator with 1,000 tasks, and how long its event loop
 * keeps others waiting while everything happens at once. The nodes are simulated. See docs/benchmarks.md.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { secondsOf } from '../measure.ts';
import { readOptions } from '../options.ts';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';
import { BenchCluster } from './bench-cluster.ts';

const values = readOptions('bench:coordinator', { nodes: 20, tasks: 1000, rounds: 5, format: 'table' });

const SERVICES = 10;
const STREAMS = 5;
const DEPLOYED = 100;
const SETTLE_MS = 15_000;
const IDLE_SAMPLE_MS = 10_000;

const column = `${values.tasks} tasks, ${values.nodes} nodes`;

async function measureIdle(cluster: BenchCluster, figures: Figures): Promise<void> {
  await delay(SETTLE_MS);
  for (let sample = 0; sample < values.rounds; sample += 1) {
    const before = await cluster.probe.cost();
    const beganAtMs = performance.now();
    await delay(IDLE_SAMPLE_MS);
    const after = await cluster.probe.cost();
    const share = (after.cpuMs - before.cpuMs) / (performance.now() - beganAtMs);
    figures.add('idle: memory (RSS)', column, after.rssBytes / 1e6, 'MB', '130');
    figures.add('idle: heap, garbage included', column, after.heapBytes / 1e6, 'MB');
    figures.add('idle: CPU', column, share * 100, '% of a core');
  }
}

/** A scrape, log streams and a deploy at once. */
async function measureBusy(cluster: BenchCluster, services: readonly string[], figures: Figures): Promise<void> {
  const stopping = new AbortController();
  const streams = services.slice(0, STREAMS).map((service) => cluster.follow(service, stopping.signal));
  await cluster.probe.watchStalls();
  const before = await cluster.probe.cost();
  const seconds = await secondsOf(() => Promise.all([cluster.deploy('burst', DEPLOYED), cluster.scrape()]));
  const stalls = await cluster.probe.stalls();
  const after = await cluster.probe.cost();
  stopping.abort();
  const bytes = await Promise.all(streams);
  if (bytes.some((count) => count === 0)) throw new Error('A log stream was silent: the load was not what it says');
  figures.add('busy: event-loop lag, p99', column, stalls.p99Ms, 'ms', 'under 50');
  figures.add('busy: event-loop lag, longest', column, stalls.longestMs, 'ms');
  figures.add(`busy: deploy ${DEPLOYED} tasks`, column, seconds, 's');
  figures.add('busy: CPU', column, after.cpuMs - before.cpuMs, 'ms');
  await cluster.remove('burst');
}

const figures = new Figures(sayOnStderr);
const cluster = await BenchCluster.up(values.nodes);
try {
  const services = Array.from({ length: SERVICES }, (_, index) => `service-${index}`);
  for (const service of services) await cluster.deploy(service, Math.ceil(values.tasks / SERVICES));
  await measureIdle(cluster, figures);
  for (let round = 0; round < values.rounds; round += 1) await measureBusy(cluster, services, figures);
  figures.add(
    'at the end: heap without garbage',
    column,
    (await cluster.probe.costWithoutGarbage()).heapBytes / 1e6,
    'MB',
  );
} finally {
  await cluster.down();
}
printReport(figures.report('bench:coordinator: a coordinator process with simulated nodes'), values.format);
