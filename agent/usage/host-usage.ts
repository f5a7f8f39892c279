/** What the whole host uses, from procfs. Formats: proc_stat(5), proc_meminfo(5), proc_loadavg(5). Pure. */
import { meminfoBytes } from '../metrics/kernel-text.ts';
import type { HostSample } from './usage-sample.ts';

export interface HostFiles {
  readonly stat: string | undefined;
  readonly meminfo: string | undefined;
  readonly loadavg: string | undefined;
}

/** The kernel shows programs hundredths of a second on every architecture. */
const TICKS_PER_SECOND = 100;
/** Of the numbers after `cpu`: idle and iowait, when processors do nothing; guest times, which user and nice contain. */
const notUsed = [3, 4, 8, 9];

/** Undefined when one of the files is missing or is not as documented. */
export function readHostUsage({ stat, meminfo, loadavg }: HostFiles, atMs: number): HostSample | undefined {
  const ticks = /^cpu +([\d ]+)$/m
    .exec(stat ?? '')?.[1]
    ?.split(' ')
    .map(Number);
  const cpuCores = stat?.match(/^cpu\d+ /gm)?.length;
  const memoryTotalBytes = meminfoBytes(meminfo, 'MemTotal');
  const availableBytes = meminfoBytes(meminfo, 'MemAvailable');
  const load1 = Number.parseFloat(loadavg ?? '');
  if (!ticks || !cpuCores || memoryTotalBytes === undefined || availableBytes === undefined || Number.isNaN(load1)) {
    return undefined;
  }
  const used = ticks.reduce((sum, number, index) => (notUsed.includes(index) ? sum : sum + number), 0);
  const memoryBytes = memoryTotalBytes - availableBytes;
  return { atMs, cpuSeconds: used / TICKS_PER_SECOND, cpuCores, memoryBytes, memoryTotalBytes, load1 };
}
