/** The containers' part of an agent's /metrics: read from the kernel's files at each scrape, in one pass. */
import { setImmediate } from 'node:timers/promises';
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
  /**
   * Answers a file's text, undefined when it is not there (any more). Synchronous, because the kernel makes these files
   * up at once: 50 containers cost 25 ms of CPU this way and 190 ms by asynchronous reads. Other work gets its turn
   * after each container.
   */
  readonly read: (path: string) => string | undefined;
  /** Usually /sys/fs/cgroup. */
  readonly cgroupRoot: string;
  /** Usually /proc. */
  readonly procRoot: string;
}

export function createContainerMetrics(options: ContainerMetricsOptions): ContainerMetrics {
  return { page: (containers) => measurePage(options, containers) };
}

async function measurePage(options: ContainerMetricsOptions, containers: readonly MeasuredContainer[]) {
  const begunMs = options.clock.elapsedMs();
  const measured: MeasuredSamples[] = [];
  for (const container of containers) {
    const samples = measure(options, container);
    if (samples) measured.push(samples);
    await setImmediate();
  }
  return renderPage(measured, (options.clock.elapsedMs() - begunMs) / 1000);
}

function measure(options: ContainerMetricsOptions, container: MeasuredContainer): MeasuredSamples | undefined {
  const { read, procRoot, cgroupRoot } = options;
  const procDirectory = `${procRoot}/${container.pid}`;
  const procCgroup = container.pid === undefined ? undefined : read(`${procDirectory}/cgroup`);
  const place = procCgroup === undefined ? undefined : cgroupPlace(procCgroup, container.id, cgroupRoot);
  if (!place) return undefined;
  const resources = readResources(read, place);
  if (resources.length === 0) return undefined;
  const network = readNetworkCounters(read(`${procDirectory}/net/dev`));
  return {
    container,
    cgroupPath: place.path,
    samples: [...resources, ...network, ...times(options.clock, container)],
  };
}

function readResources(read: ContainerMetricsOptions['read'], place: CgroupPlace): Sample[] {
  const files = Object.fromEntries([...place.files].map(([name, path]) => [name, read(path)]));
  return place.version === 1 ? readCgroupV1(files) : readCgroupV2(files);
}

function times(clock: Clock, container: MeasuredContainer): Sample[] {
  const { startedAtMs } = container;
  return presentSamples([
    ['container_last_seen', Math.floor(clock.wallMs() / 1000)],
    ['container_start_time_seconds', startedAtMs === undefined ? undefined : startedAtMs / 1000],
  ]);
}
