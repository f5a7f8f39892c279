/** Measures the containers of this host: one pass over the kernel's files, in turns short enough for other work. */
import { readlinkSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import { readCpu } from './cgroup-cpu.ts';
import { type DeviceName, readIo } from './cgroup-io.ts';
import { oomKillsIn, readMemory } from './cgroup-memory.ts';
import { readPressure } from './cgroup-pressure.ts';
import type { CgroupFiles, ContainerCgroups } from './container-cgroups.ts';
import { containerInfoLabels, identityLabels, type NamedContainer } from './container-identity.ts';
import type { ContainerPage } from './container-page.ts';
import type { KernelFiles } from './kernel-files.ts';
import { limitIn, numberIn } from './kernel-text.ts';
import type { LayerSizes } from './layer-sizes.ts';
import { type LoadAverage, nextLoad } from './load-average.ts';
import type { Put } from './metric-catalogue.ts';
import { readNetwork } from './network-counters.ts';
import type { OomKills } from './oom-kills.ts';
import { ProcessCounts, type StateCounts } from './process-counts.ts';
import type { HostRoots } from './roots.ts';
import { SeriesHeads } from './series-heads.ts';
import type { Turns } from './turns.ts';

/** What must be known of a container to measure it. */
export interface MeasuredContainer extends NamedContainer {
  /** First process; a container without one is not running and has no metrics. */
  readonly pid: number | undefined;
  readonly startedAtMs: number | undefined;
  readonly createdAtMs?: number | undefined;
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy';
}

export interface ContainerMetricsParts {
  readonly clock: Clock;
  readonly files: KernelFiles;
  readonly roots: HostRoots;
  readonly cgroups: ContainerCgroups;
  readonly deviceNames: DeviceName;
  readonly oomKills: OomKills;
  /** Absent unless writable layers are to be measured. */
  readonly layers?: LayerSizes | undefined;
  /** This host's name. */
  readonly nodeName: string;
}

/** What stays known of a container between scrapes. */
interface Known {
  readonly container: MeasuredContainer;
  readonly cgroupPath: string;
  readonly heads: SeriesHeads;
  readonly infoLabels: string;
  readonly hasHostNetwork: boolean;
  load: LoadAverage | undefined;
}

export class ContainerMetrics {
  private readonly parts: ContainerMetricsParts;
  private readonly processes: ProcessCounts;
  private readonly known = new Map<string, Known>();

  constructor(parts: ContainerMetricsParts) {
    this.parts = parts;
    this.processes = new ProcessCounts(parts.files, parts.roots.procRoot);
  }

  /** Adds the containers' series to the page. A container that vanishes meanwhile is left out. */
  async collect(containers: readonly MeasuredContainer[], page: ContainerPage, turns: Turns): Promise<void> {
    const ids = new Set(containers.map(({ id }) => id));
    this.parts.cgroups.forgetAllBut(ids);
    for (const id of this.known.keys()) if (!ids.has(id)) this.known.delete(id);
    this.processes.beginPass(ids);
    for (const container of containers) {
      this.measure(container, page);
      await turns.yieldIfLong();
    }
  }

  private measure(container: MeasuredContainer, page: ContainerPage): void {
    const { cgroups, oomKills } = this.parts;
    const files = cgroups.of(container);
    if (!files || container.pid === undefined) return;
    const known = this.knowledgeOf(container, container.pid, files);
    const put = page.putFor(known.heads);
    if (!readCpu(files, put)) return this.forget(container.id);
    this.readCgroups(files, put);
    put('container_oom_events_total', oomKills.observe(container.id, container.labels, oomKillsIn(files)));
    this.readProcesses(known, container.pid, files, put);
    if (!known.hasHostNetwork) readNetwork(this.parts.files.read(this.procPath(container.pid, 'net/dev')), put);
    this.putFacts(container, known, put);
  }

  /** It has gone since it was found. */
  private forget(containerId: string): void {
    this.known.delete(containerId);
    this.parts.cgroups.forget(containerId);
  }

  private readCgroups(files: CgroupFiles, put: Put): void {
    readMemory(files, put);
    readPressure(files, put);
    readIo(files, this.parts.deviceNames, put);
  }

  private readProcesses(known: Known, pid: number, files: CgroupFiles, put: Put): void {
    const isV1 = files.versionOf('pids') === 1;
    const listed = isV1 ? files.v1('pids/cgroup.procs') : files.v2('cgroup.procs');
    const pids = (listed ?? '').split('\n').filter(Boolean).map(Number);
    // A group that has groups of its own below it holds no process itself.
    if (pids.length > 0) put('container_processes', pids.length);
    put('container_threads', numberIn(isV1 ? files.v1('pids/pids.current') : files.v2('pids.current')));
    put('container_threads_max', limitIn(isV1 ? files.v1('pids/pids.max') : files.v2('pids.max')));
    const mainFirst = [pid, ...pids.filter((other) => other !== pid)];
    this.putLoad(known, this.processes.read(known.container.id, mainFirst, put), put);
  }

  private putLoad(known: Known, { running, uninterruptible }: StateCounts, put: Put): void {
    known.load = nextLoad(known.load, { atMs: this.parts.clock.elapsedMs(), running, uninterruptible });
    put('container_cpu_load_average_10s', Math.round(known.load.running * 1000));
    put('container_cpu_load_d_average_10s', Math.round(known.load.uninterruptible * 1000));
  }

  private putFacts(container: MeasuredContainer, { infoLabels }: Known, put: Put): void {
    const { startedAtMs, createdAtMs, health } = container;
    put('container_last_seen', Math.floor(this.parts.clock.wallMs() / 1000));
    put('container_start_time_seconds', startedAtMs === undefined ? undefined : startedAtMs / 1000);
    put('container_creation_time_seconds', createdAtMs === undefined ? undefined : createdAtMs / 1000);
    put('container_health_state', { none: -1, healthy: 1, starting: 0, unhealthy: 0 }[health]);
    put('plimsoll_container_info', 1, infoLabels);
    this.parts.layers?.put(container.id, put);
  }

  private knowledgeOf(container: MeasuredContainer, pid: number, { path }: CgroupFiles): Known {
    const known = this.known.get(container.id);
    if (known && known.cgroupPath === path && hasSameIdentity(known.container, container)) return known;
    const identity = identityLabels(container, path);
    const fresh = {
      container,
      cgroupPath: path,
      heads: known?.heads.identity === identity ? known.heads : new SeriesHeads(identity),
      infoLabels: containerInfoLabels(container, this.parts.nodeName),
      hasHostNetwork: this.hasHostNetwork(pid),
      load: known?.load,
    };
    this.known.set(container.id, fresh);
    return fresh;
  }

  /** A container in the host's own network has no traffic of its own: the host's would be shown for it. */
  private hasHostNetwork(pid: number): boolean {
    const network = this.networkOf(pid);
    return network !== undefined && (network === this.networkOf(1) || network === this.networkOf('self'));
  }

  private networkOf(pid: number | 'self'): string | undefined {
    try {
      return readlinkSync(this.procPath(pid, 'ns/net'));
    } catch {
      return undefined;
    }
  }

  private procPath(pid: number | 'self', file: string): string {
    return `${this.parts.roots.procRoot}/${pid}/${file}`;
  }
}

function hasSameIdentity(one: MeasuredContainer, other: MeasuredContainer): boolean {
  return (
    one.pid === other.pid &&
    one.name === other.name &&
    one.image === other.image &&
    one.imageId === other.imageId &&
    one.labels === other.labels
  );
}
