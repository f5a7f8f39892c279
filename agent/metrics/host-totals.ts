/** The rows `id="/"`: what cAdvisor shows of the host as a whole, so that dashboards find their totals. */
import type { Clock } from '../../runtime/clock.ts';
import { labelText } from '../../runtime/label-text.ts';
import { readCpu } from './cgroup-cpu.ts';
import { readMemory } from './cgroup-memory.ts';
import { readPressure } from './cgroup-pressure.ts';
import type { CgroupFiles, ContainerCgroups } from './container-cgroups.ts';
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

/** Column of /proc/diskstats after the name -> metric and the factor from the kernel's unit (iostats.rst). */
const diskColumns: readonly (readonly [ContainerMetricName, number, number])[] = [
  ['container_fs_reads_total', 0, 1],
  ['container_fs_reads_merged_total', 1, 1],
  ['container_fs_sector_reads_total', 2, 1],
  ['container_fs_reads_bytes_total', 2, 512],
  ['container_fs_read_seconds_total', 3, 0.001],
  ['container_fs_writes_total', 4, 1],
  ['container_fs_writes_merged_total', 5, 1],
  ['container_fs_sector_writes_total', 6, 1],
  ['container_fs_writes_bytes_total', 6, 512],
  ['container_fs_write_seconds_total', 7, 0.001],
  ['container_fs_io_current', 8, 1],
  ['container_fs_io_time_seconds_total', 9, 0.001],
  ['container_fs_io_time_weighted_seconds_total', 10, 0.001],
];
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
    for (const [metric, column, factor] of diskColumns) put(metric, (counters[column] ?? Number.NaN) * factor, device);
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
