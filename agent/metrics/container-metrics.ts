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
import { ContainerSeries } from './container-series.ts';
import { DerivedSeries, readThrough } from './derived-series.ts';
import type { KernelFiles, TextSource } from './kernel-files.ts';
import { limitIn, numberIn } from './kernel-text.ts';
import type { LayerSizes } from './layer-sizes.ts';
import { type LoadAverage, nextLoad } from './load-average.ts';
import type { Put } from './metric-catalogue.ts';
import { readNetwork } from './network-counters.ts';
import type { OomKills } from './oom-kills.ts';
import { ProcessCounts, type StateCounts } from './process-counts.ts';
import type { HostRoots } from './roots.ts';
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
  readonly files: CgroupFiles;
  readonly infoLabels: string;
  /** Its devices' counters; undefined for a container in the host's own network. */
  readonly netDev: TextSource | undefined;
  readonly series: SeriesOfContainer;
  load: LoadAverage | undefined;
  /** The pass in which the settings were read; undefined when they are to be read in the next. */
  settingsReadAt: number | undefined;
}

/** Every two minutes at the usual scrape interval; sooner when the engine says that they changed. */
const SETTINGS_EVERY_PASSES = 8;

/** The series of a container by what they come from. */
interface SeriesOfContainer {
  readonly cpu: DerivedSeries;
  readonly memory: DerivedSeries;
  readonly pressure: DerivedSeries;
  readonly io: DerivedSeries;
  readonly network: DerivedSeries;
  /** What is not read from a few files: processes and facts. */
  readonly others: ContainerSeries;
}

export class ContainerMetrics {
  private readonly parts: ContainerMetricsParts;
  private readonly processes: ProcessCounts;
  private readonly known = new Map<string, Known>();
  private passes = 0;

  constructor(parts: ContainerMetricsParts) {
    this.parts = parts;
    this.processes = new ProcessCounts(parts.files, parts.roots.procRoot);
  }

  /** Somebody has changed how a container is set up: what it was created with is read again the next time. */
  settingsChanged(containerId: string): void {
    const known = this.known.get(containerId);
    if (known) known.settingsReadAt = undefined;
  }

  /** Adds the containers' series to the page. A container that vanishes meanwhile is left out. */
  async collect(containers: readonly MeasuredContainer[], page: ContainerPage, turns: Turns): Promise<void> {
    const ids = new Set(containers.map(({ id }) => id));
    this.parts.cgroups.forgetAllBut(ids);
    for (const id of this.known.keys()) if (!ids.has(id)) this.known.delete(id);
    this.processes.beginPass(ids);
    this.passes += 1;
    for (const container of containers) {
      this.measure(container, page);
      await turns.yieldIfLong();
    }
  }

  private measure(container: MeasuredContainer, page: ContainerPage): void {
    const { cgroups, deviceNames } = this.parts;
    const files = cgroups.of(container);
    if (!files || container.pid === undefined) return;
    const known = this.knowledgeOf(container, container.pid, files);
    const { cpu, memory, pressure, io, network, others } = known.series;
    const withSettings = this.areSettingsDue(known);
    let isThere = true;
    cpu.refresh(withSettings, (read, put) => {
      isThere = readCpu(readThrough(files, read), put);
    });
    if (!isThere) return this.forget(container.id);
    memory.refresh(withSettings, (read, put) => readMemory(readThrough(files, read), put));
    pressure.refresh(withSettings, (read, put) => readPressure(readThrough(files, read), put));
    io.refresh(withSettings, (read, put) => readIo(readThrough(files, read), deviceNames, put));
    const { netDev } = known;
    if (netDev) network.refresh(withSettings, (read, put) => readNetwork(read(netDev), put));
    others.rewrite((put) => this.readOthers(known, container, put));
    for (const series of [cpu, memory, pressure, io, network, others]) page.add(series.all());
  }

  private areSettingsDue(known: Known): boolean {
    const { passes } = this;
    if (known.settingsReadAt !== undefined && passes - known.settingsReadAt < SETTINGS_EVERY_PASSES) return false;
    known.settingsReadAt = passes;
    return true;
  }

  /** It has gone since it was found. */
  private forget(containerId: string): void {
    this.known.delete(containerId);
    this.parts.cgroups.forget(containerId);
  }

  private readOthers(known: Known, container: MeasuredContainer, put: Put): void {
    const { files } = known;
    put('container_oom_events_total', this.parts.oomKills.observe(container.id, container.labels, oomKillsIn(files)));
    if (container.pid !== undefined) this.readProcesses(known, container.pid, put);
    this.putFacts(container, known, put);
  }

  private readProcesses(known: Known, pid: number, put: Put): void {
    const { files } = known;
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

  private knowledgeOf(container: MeasuredContainer, pid: number, files: CgroupFiles): Known {
    const known = this.known.get(container.id);
    if (known && known.files === files && hasSameIdentity(known.container, container)) return known;
    const fresh: Known = {
      container,
      files,
      infoLabels: containerInfoLabels(container, this.parts.nodeName),
      netDev: this.hasHostNetwork(pid) ? undefined : this.sourceAt(this.procPath(pid, 'net/dev')),
      series: seriesOf(identityLabels(container, files.path)),
      load: known?.load,
      settingsReadAt: undefined,
    };
    this.known.set(container.id, fresh);
    return fresh;
  }

  /** Opened each time: an open one would keep a dead container's network alive. */
  private sourceAt(path: string): TextSource {
    return { read: () => this.parts.files.read(path) };
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

function seriesOf(identity: string): SeriesOfContainer {
  const bytes = Buffer.from(identity);
  return {
    cpu: new DerivedSeries(bytes),
    memory: new DerivedSeries(bytes),
    pressure: new DerivedSeries(bytes),
    io: new DerivedSeries(bytes),
    network: new DerivedSeries(bytes),
    others: new ContainerSeries(bytes),
  };
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
