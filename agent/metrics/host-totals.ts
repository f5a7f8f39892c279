/** The rows `id="/"`: what cAdvisor shows of the host as a whole, so that dashboards find their totals. */
import type { Clock } from '../../runtime/clock.ts';
import { labelText } from '../../runtime/label-text.ts';
import { readCpu } from './cgroup-cpu.ts';
import { readMemory } from './cgroup-memory.ts';
import { readPressure } from './cgroup-pressure.ts';
import type { CgroupFiles, ContainerCgroups } from './container-cgroups.ts';
import { diskColumns } from './host/disks.ts';
import type { KernelFiles } from './kernel-files.ts';
import { blockDevices, meminfoBytes, numberIn } from './kernel-text.ts';
import type { ContainerMetricName, Put } from './metric-catalogue.ts';
import { readNetwork } from './network-counters.ts';
import { type HostRoots, hostNetworkDirectory } from './roots.ts';

/** A mounted file system and its size as statfs(2) tells it. */
export interface Partition {
  readonly device: string;
  readonly size: {
    readonly bsize: number;
    readonly blocks: number;
    readonly bfree: number;
    readonly files: number;
    readonly ffree: number;
  };
}

export interface HostTotalsParts {
  readonly clock: Clock;
  readonly files: KernelFiles;
  readonly roots: HostRoots;
  readonly cgroups: ContainerCgroups;
}

/** cAdvisor's name -> node_exporter's for the same number. */
const diskMetrics: Readonly<Partial<Record<ContainerMetricName, string>>> = {
  container_fs_reads_total: 'node_disk_reads_completed_total',
  container_fs_reads_merged_total: 'node_disk_reads_merged_total',
  container_fs_reads_bytes_total: 'node_disk_read_bytes_total',
  container_fs_read_seconds_total: 'node_disk_read_time_seconds_total',
  container_fs_writes_total: 'node_disk_writes_completed_total',
  container_fs_writes_merged_total: 'node_disk_writes_merged_total',
  container_fs_writes_bytes_total: 'node_disk_written_bytes_total',
  container_fs_write_seconds_total: 'node_disk_write_time_seconds_total',
  container_fs_io_current: 'node_disk_io_now',
  container_fs_io_time_seconds_total: 'node_disk_io_time_seconds_total',
  container_fs_io_time_weighted_seconds_total: 'node_disk_io_time_weighted_seconds_total',
};
/** Those only cAdvisor has, in the kernel's own sectors. */
const sectorMetrics: Readonly<Partial<Record<ContainerMetricName, string>>> = {
  container_fs_sector_reads_total: 'node_disk_read_bytes_total',
  container_fs_sector_writes_total: 'node_disk_written_bytes_total',
};
const diskNumbers = [...numbersOf(diskMetrics), ...numbersOf(sectorMetrics).map((each) => ({ ...each, unitsPer: 1 }))];

/** Where on a line of /proc/diskstats a metric's number is, and how many of the kernel's units are one of the metric's. */
function numbersOf(names: Readonly<Partial<Record<ContainerMetricName, string>>>) {
  return Object.entries(names).map(([metric, name]) => {
    const column = diskColumns.findIndex((each) => each.name === name);
    return { metric: metric as ContainerMetricName, column, unitsPer: diskColumns[column]?.unitsPer ?? 1 };
  });
}

/** Whole disks only: a partition's transfers are its disk's, and a sum over devices should be true. */
const ignoredDisk = /^((z?ram|loop|fd|(h|s|v|xv)d[a-z])\d+|(nvme\d+n\d+|mmcblk\d+)p\d+)$/;

export class HostTotals {
  private readonly parts: HostTotalsParts;
  private readonly cgroups: CgroupFiles;

  constructor(parts: HostTotalsParts) {
    this.parts = parts;
    this.cgroups = parts.cgroups.host();
  }

  read(partitions: readonly Partition[], put: Put): void {
    const { files, roots } = this.parts;
    // The root group has no limits of its own: the machine's size is the limit.
    const putUnlimited: Put = (metric, value, labels) => {
      if (!metric.startsWith('container_spec_memory_')) put(metric, value, labels);
    };
    readCpu(this.cgroups, put);
    readMemory(this.cgroups, putUnlimited);
    readPressure(this.cgroups, put);
    putDisks(files.read(`${roots.procRoot}/diskstats`), put);
    putPartitions(partitions, put);
    readNetwork(files.read(`${roots.procRoot}/${hostNetworkDirectory(roots)}/dev`), put);
    put('container_spec_memory_limit_bytes', meminfoBytes(files.read(`${roots.procRoot}/meminfo`), 'MemTotal'));
    put('container_last_seen', Math.floor(this.parts.clock.wallMs() / 1000));
    put('container_start_time_seconds', bootTimeSeconds(files.read(`${roots.procRoot}/stat`)));
  }
}

function putDisks(diskstats: string | undefined, put: Put): void {
  for (const { device: name, counters } of blockDevices(diskstats)) {
    if (ignoredDisk.test(name)) continue;
    const device = `device="/dev/${name}"`;
    for (const { metric, column, unitsPer } of diskNumbers) {
      const number = counters[column];
      put(metric, number === undefined ? undefined : number / unitsPer, device);
    }
  }
}

function putPartitions(partitions: readonly Partition[], put: Put): void {
  const seen = new Set<string>();
  for (const { device, size } of partitions) {
    if (!device.startsWith('/dev/') || seen.has(device)) continue;
    seen.add(device);
    const labels = labelText({ device });
    put('container_fs_usage_bytes', (size.blocks - size.bfree) * size.bsize, labels);
    put('container_fs_limit_bytes', size.blocks * size.bsize, labels);
    put('container_fs_inodes_total', size.files, labels);
    put('container_fs_inodes_free', size.ffree, labels);
  }
}

function bootTimeSeconds(stat: string | undefined): number | undefined {
  return numberIn(/^btime (\d+)$/m.exec(stat ?? '')?.[1]);
}
