/** Reads what is used from the kernel's files: three or four small ones a container. */
import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Clock } from '../../runtime/clock.ts';
import type { ContainerCgroups } from '../metrics/container-cgroups.ts';
import type { KernelFiles } from '../metrics/kernel-files.ts';
import type { HostRoots } from '../metrics/roots.ts';
import { createUsageReader } from '../metrics/usage-reader.ts';
import { readHostUsage } from './host-usage.ts';
import { TrafficMeter } from './traffic.ts';
import type { ContainerSample, HostSample, UsageSample } from './usage-sample.ts';

/** A running container of ours, as far as it is measured. */
export interface MeteredContainer {
  readonly id: string;
  readonly pid: number | undefined;
  /** Undefined when it has no network of its own. */
  readonly address: string | undefined;
}

/** Where usage is read. Answers undefined for what cannot be read (any more). */
export interface UsageMeter {
  host(): HostSample | undefined;
  container(container: MeteredContainer): ContainerSample | undefined;
  /** For containers that have ended: what was kept open to read them is given back. */
  forget(containerId: string): void;
  /** The file system of a directory. */
  disk(directory: string): Promise<UsageSample['disk']>;
}

export interface UsageMeterParts {
  readonly clock: Clock;
  readonly files: KernelFiles;
  /** Share them with the metrics page: files stay open. */
  readonly cgroups: ContainerCgroups;
  readonly roots: HostRoots;
}

/** What statfs(2) says of a file system. */
type BlockCounts = Pick<StatsFs, 'bsize' | 'blocks' | 'bfree' | 'bavail'>;

export function createUsageMeter({ clock, files, cgroups, roots }: UsageMeterParts): UsageMeter {
  const readUsage = createUsageReader(cgroups);
  const traffic = new TrafficMeter(clock);
  const hostFile = (name: string) => files.keep(`${roots.procRoot}/${name}`);
  const [stat, meminfo, loadavg] = [hostFile('stat'), hostFile('meminfo'), hostFile('loadavg')];
  const trafficOf = ({ id, pid, address }: MeteredContainer) => {
    if (address === undefined) return { traffic: undefined, earlierTraffic: undefined };
    return traffic.read(id, () => files.read(`${roots.procRoot}/${pid}/net/dev`));
  };
  return {
    host: () => {
      const texts = { stat: stat.read(), meminfo: meminfo.read(), loadavg: loadavg.read() };
      return readHostUsage(texts, clock.elapsedMs());
    },
    container: (container) => {
      const usage = readUsage(container);
      if (!usage) return undefined;
      const { cpuSeconds, memoryWorkingSetBytes: memoryBytes, memoryLimitBytes } = usage;
      return { atMs: clock.elapsedMs(), cpuSeconds, memoryBytes, memoryLimitBytes, ...trafficOf(container) };
    },
    forget: (containerId) => {
      cgroups.forget(containerId);
      traffic.forget(containerId);
    },
    disk: async (directory) => {
      return diskUsageOf(await statfs(`${roots.rootfs}/${directory}`));
    },
  };
}

/** As df(1) tells it: what is kept back for root counts neither as used nor as there, so that full is 100 %. */
export function diskUsageOf({ bsize, blocks, bfree, bavail }: BlockCounts): NonNullable<UsageSample['disk']> {
  const bytes = (blocks - bfree) * bsize;
  return { bytes, totalBytes: bytes + bavail * bsize };
}
