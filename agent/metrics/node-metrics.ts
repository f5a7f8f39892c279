/** The agent's whole page about its host: containers, the host itself, the machine. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { labelText } from '../../runtime/label-text.ts';
import type { Log } from '../../runtime/log.ts';
import type { EngineEvent } from '../engine/engine.ts';
import type { ObservedContainer } from '../plan/observed-container.ts';
import { createDeviceNames } from './block-devices.ts';
import type { DeviceName } from './cgroup-io.ts';
import { oomKillsIn } from './cgroup-memory.ts';
import { type CollectorRun, renderCollectorRuns } from './collector-runs.ts';
import type { ContainerCgroups } from './container-cgroups.ts';
import { ContainerInventory, type HostEngine, type ListedContainer } from './container-inventory.ts';
import { ContainerMetrics, type MeasuredContainer } from './container-metrics.ts';
import { ContainerPage } from './container-page.ts';
import { ContainerSeries } from './container-series.ts';
import { type Family, single, writeFamilies } from './host/family.ts';
import { createHostSeries, type HostSeries } from './host/host-series.ts';
import { HostTotals, type Partition } from './host-totals.ts';
import type { KernelFiles } from './kernel-files.ts';
import { LayerSizes } from './layer-sizes.ts';
import { createMachineMetrics } from './machine-metrics.ts';
import { OomKills } from './oom-kills.ts';
import { type MetricsPage, PageMemory, PageWriter, type WrittenPage } from './page-writer.ts';
import type { HostRoots } from './roots.ts';
import { Turns } from './turns.ts';

export interface NodeMetricsParts {
  readonly engine: HostEngine;
  readonly clock: Clock;
  readonly log: Log;
  readonly files: KernelFiles;
  readonly cgroups: ContainerCgroups;
  readonly roots: HostRoots;
  readonly nodeId: string;
  /** The agent's version. */
  readonly version: string;
  /** Whether to find out, in the background, how much the containers' writable layers hold. */
  readonly measureLayers: boolean;
}

/** What the agent knows when it is asked for the page. */
export interface NodeFacts {
  readonly ownContainers: readonly ObservedContainer[];
  /** Undefined while the engine has not said. */
  readonly dockerVersion: string | undefined;
}

export interface NodeMetrics {
  /** Prometheus text without timestamps. Never rejects for a file or an engine that does not answer. */
  page(facts: NodeFacts): Promise<MetricsPage>;
  /** Keeps itself told of the host's containers until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
}

export function createNodeMetrics(parts: NodeMetricsParts): NodeMetrics {
  return new HostOfContainers(parts);
}

class HostOfContainers implements NodeMetrics {
  private readonly parts: NodeMetricsParts;
  private readonly oomKills = new OomKills();
  private readonly inventory: ContainerInventory;
  private readonly containers: ContainerMetrics;
  private readonly layers: LayerSizes | undefined;
  private readonly host: HostSeries;
  private readonly totals: HostTotals;
  private readonly totalSeries = new ContainerSeries(Buffer.from('id="/"'));
  private readonly memory = new PageMemory();
  private readonly machine: (dockerVersion: string | undefined) => Family[];
  private reading: Promise<WrittenPage> | undefined;
  private ownIds: ReadonlySet<string> = new Set();

  constructor(parts: NodeMetricsParts) {
    this.parts = parts;
    const { files, roots } = parts;
    const nodeName = files.read(`${roots.procRoot}/sys/kernel/hostname`)?.trim() || hostname();
    const deviceNames = createDeviceNames(() => files.read(`${roots.procRoot}/diskstats`));
    this.inventory = this.createInventory();
    this.layers = parts.measureLayers ? this.createLayerSizes(deviceNames) : undefined;
    const { oomKills, layers } = this;
    this.containers = new ContainerMetrics({ ...parts, deviceNames, oomKills, layers, nodeName });
    this.host = createHostSeries(parts);
    this.totals = new HostTotals(parts);
    this.machine = createMachineMetrics({ ...parts, nodeName });
  }

  async watch(signal: AbortSignal): Promise<void> {
    await Promise.all([this.inventory.watch(signal), this.layers?.watch(signal)]);
  }

  /** Scrapes that come at the same time share one reading. */
  async page(facts: NodeFacts): Promise<MetricsPage> {
    this.reading ??= this.read(facts).finally(() => {
      this.reading = undefined;
    });
    return (await this.reading).lend();
  }

  private async read({ ownContainers, dockerVersion }: NodeFacts): Promise<WrittenPage> {
    const turns = new Turns(this.parts.clock);
    const writer = new PageWriter(this.memory);
    const host = await this.host.write(writer, turns);
    await turns.yieldIfLong();
    const begunMs = this.parts.clock.elapsedMs();
    await this.writeContainers(writer, ownContainers, host.fileSystems, turns);
    await writeFamilies(writer, [...this.serviceFamilies(), ...this.machine(dockerVersion)], turns);
    const durationSeconds = (this.parts.clock.elapsedMs() - begunMs) / 1000;
    const own: CollectorRun = { collector: 'containers', success: this.inventory.isCurrent, durationSeconds };
    writer.text(renderCollectorRuns([...host.runs, own]));
    return writer.finish();
  }

  private async writeContainers(
    writer: PageWriter,
    own: readonly ObservedContainer[],
    partitions: readonly Partition[],
    turns: Turns,
  ): Promise<void> {
    const page = new ContainerPage();
    await this.containers.collect(this.running(own), page, turns);
    this.totalSeries.rewrite((put) => this.totals.read(partitions, put));
    page.add(this.totalSeries.all());
    await page.write(writer, turns);
  }

  /** Ours as the agent knows them, the moment they run; all others as of the engine's last list. */
  private running(own: readonly ObservedContainer[]): MeasuredContainer[] {
    const listed = this.inventory.containers();
    const byId = new Map(listed.map((container) => [container.id, container]));
    const ours = own.filter(({ pid }) => pid !== undefined).map((container) => ownContainer(container, byId));
    this.ownIds = new Set(ours.map(({ id }) => id));
    return [...ours, ...listed.filter(({ id }) => !this.ownIds.has(id))];
  }

  private serviceFamilies(): Family[] {
    const samples = [...this.oomKills.services()].map(({ service, stack, kills }) => {
      return [labelText({ service, stack }), kills] as const;
    });
    const help = 'Processes of a service killed on this node for want of memory, also in containers that are gone.';
    return [
      { name: 'plimsoll_agent_oom_kills_total', type: 'counter', help, samples },
      ...single(
        'container_scrape_error',
        'gauge',
        '1 while the engine does not tell which containers run: those known before are measured.',
        this.inventory.isCurrent ? 0 : 1,
      ),
    ];
  }

  private createInventory(): ContainerInventory {
    const { files, roots } = this.parts;
    return new ContainerInventory({
      ...this.parts,
      isKnown: (containerId) => this.ownIds.has(containerId) && !this.parts.measureLayers,
      mountsOf: (pid) => files.read(`${roots.procRoot}/${pid}/mountinfo`),
      onEvent: (event) => this.take(event),
    });
  }

  private take({ action, containerId, attributes }: EngineEvent): void {
    if (action === 'start') this.oomKills.started(containerId);
    if (action === 'destroy') this.oomKills.forget(containerId);
    if (action === 'update') this.containers.settingsChanged(containerId);
    if (action !== 'oom') return;
    // The kernel may have killed several at once, and the container may be gone before the next scrape.
    const files = this.parts.cgroups.known(containerId);
    if (files) this.oomKills.observe(containerId, attributes, oomKillsIn(files));
    this.oomKills.event(containerId, attributes);
  }

  private createLayerSizes(deviceNames: DeviceName): LayerSizes {
    const { rootfs } = this.parts.roots;
    const places = () =>
      this.inventory.containers().flatMap(({ id, layerDirectories }) => {
        const directories = layerDirectories.map((directory) => join(rootfs, directory));
        return directories.length > 0 ? [{ containerId: id, directories }] : [];
      });
    return new LayerSizes({ ...this.parts, deviceNames, places });
  }
}

function ownContainer(own: ObservedContainer, listed: ReadonlyMap<string, ListedContainer>): MeasuredContainer {
  const { id, name, image, labels, pid, startedAtMs, health } = own;
  const { imageId, createdAtMs } = listed.get(id) ?? {};
  return { id, name, image, imageId, labels, pid, startedAtMs, createdAtMs, health };
}
