/** The three numbers of a container that are wanted every other second: cheaper than its whole page. */
import type { CgroupFiles, ContainerCgroups, RunningContainer } from './container-cgroups.ts';
import { keyedNumber, limitIn, numberIn, workingSet } from './kernel-text.ts';

export interface ContainerUsage {
  /** Processor time consumed since the container was started, over all cores. */
  readonly cpuSeconds: number;
  readonly memoryWorkingSetBytes: number;
  /** 0 for none. */
  readonly memoryLimitBytes: number;
}

/** Answers undefined for a container that does not run. Share the cgroups with the metrics page: the files stay open. */
export function createUsageReader(
  cgroups: Pick<ContainerCgroups, 'of' | 'forget'>,
): (container: RunningContainer) => ContainerUsage | undefined {
  return (container) => {
    const files = cgroups.of(container);
    const usage = files && readUsage(files);
    if (files && !usage) cgroups.forget(container.id);
    return usage;
  };
}

function readUsage(files: CgroupFiles): ContainerUsage | undefined {
  const cpuSeconds = files.versionOf('cpu') === 1 ? cpuSecondsV1(files) : cpuSecondsV2(files);
  const memory = files.versionOf('memory') === 1 ? memoryV1(files) : memoryV2(files);
  return cpuSeconds === undefined || memory === undefined ? undefined : { cpuSeconds, ...memory };
}

function cpuSecondsV1({ v1 }: CgroupFiles): number | undefined {
  const nanoseconds = numberIn(v1('cpuacct/cpuacct.usage'));
  return nanoseconds === undefined ? undefined : nanoseconds / 1e9;
}

function cpuSecondsV2({ v2 }: CgroupFiles): number | undefined {
  const microseconds = keyedNumber(v2('cpu.stat'), 'usage_usec');
  return microseconds === undefined ? undefined : microseconds / 1e6;
}

type Memory = Omit<ContainerUsage, 'cpuSeconds'>;

function memoryV1({ v1 }: CgroupFiles): Memory | undefined {
  const inactiveFile = keyedNumber(v1('memory/memory.stat'), 'total_inactive_file');
  const working = workingSet(numberIn(v1('memory/memory.usage_in_bytes')), inactiveFile);
  const limit = limitIn(v1('memory/memory.limit_in_bytes'));
  return working === undefined ? undefined : { memoryWorkingSetBytes: working, memoryLimitBytes: limit ?? 0 };
}

function memoryV2({ v2 }: CgroupFiles): Memory | undefined {
  const inactiveFile = keyedNumber(v2('memory.stat'), 'inactive_file');
  const working = workingSet(numberIn(v2('memory.current')), inactiveFile);
  const limit = limitIn(v2('memory.max'));
  return working === undefined ? undefined : { memoryWorkingSetBytes: working, memoryLimitBytes: limit ?? 0 };
}
