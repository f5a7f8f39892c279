/** The containers' part of an agent's /metrics: read from the kernel's files at each scrape, in one pass. */
import type { Clock } from '../../runtime/clock.ts';
import { type CgroupPlace, cgroupPlace } from './cgroup-place.ts';
import { readCgroupV1 } from './cgroup-v1.ts';
import { readCgroupV2 } from './cgroup-v2.ts';
import { type MeasuredSamples, renderPage } from './exposition.ts';
import { presentSamples, type Sample } from './metric-catalogue.ts';
import { readNetworkCounters } from './network-counters.ts';

/** What must be known of a container to measure it. */
export interface MeasuredContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** First process; a container without one is not running and has no metrics. */
  readonly pid: number | undefined;
  readonly startedAtMs: number | undefined;
}

export interface ContainerMetrics {
  /** Prometheus text (version 0.0.4) without timestamps. A container that vanishes meanwhile is left out. */
  page(containers: readonly MeasuredContainer[]): Promise<string>;
}

export interface ContainerMetricsOptions {
  readonly clock: Clock;
  /** Answers a file's text, undefined when it is not there (any more). */
  readonly read: (path: string) => Promise<string | undefined>;
  /** Usually /sys/fs/cgroup. */
  readonly cgroupRoot: string;
  /** Usually /proc. */
  readonly procRoot: string;
}

/** Containers read at the same time: file reads occupy the few threads Node shares with DNS and crypto. */
const CONCURRENT_CONTAINERS = 2;

export function createContainerMetrics(options: ContainerMetricsOptions): ContainerMetrics {
  return { page: (containers) => measurePage(options, containers) };
}

async function measurePage(options: ContainerMetricsOptions, containers: readonly MeasuredContainer[]) {
  const begunMs = options.clock.elapsedMs();
  const waiting = [...containers];
  const measured: MeasuredSamples[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const samples = await measure(options, next);
      if (samples) measured.push(samples);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_CONTAINERS }, worker));
  return renderPage(measured, (options.clock.elapsedMs() - begunMs) / 1000);
}

async function measure(
  options: ContainerMetricsOptions,
  container: MeasuredContainer,
): Promise<MeasuredSamples | undefined> {
  const { read, procRoot, cgroupRoot } = options;
  const procDirectory = `${procRoot}/${container.pid}`;
  const procCgroup = container.pid === undefined ? undefined : await read(`${procDirectory}/cgroup`);
  const place = procCgroup === undefined ? undefined : cgroupPlace(procCgroup, container.id, cgroupRoot);
  if (!place) return undefined;
  const [resources, netDev] = await Promise.all([readResources(read, place), read(`${procDirectory}/net/dev`)]);
  if (resources.length === 0) return undefined;
  const samples = [...resources, ...readNetworkCounters(netDev), ...times(options.clock, container)];
  return { container, cgroupPath: place.path, samples };
}

async function readResources(read: ContainerMetricsOptions['read'], place: CgroupPlace): Promise<Sample[]> {
  const texts = await Promise.all([...place.files].map(async ([name, path]) => [name, await read(path)] as const));
  const files = Object.fromEntries(texts);
  return place.version === 1 ? readCgroupV1(files) : readCgroupV2(files);
}

function times(clock: Clock, container: MeasuredContainer): Sample[] {
  const { startedAtMs } = container;
  return presentSamples([
    ['container_last_seen', Math.floor(clock.wallMs() / 1000)],
    ['container_start_time_seconds', startedAtMs === undefined ? undefined : startedAtMs / 1000],
  ]);
}
