/** Processor time of a cgroup, in cAdvisor's terms. Formats: the kernel's cgroup-v1/cpuacct.rst, sched-bwc.rst, cgroup-v2.rst. */
import type { CgroupFiles } from './container-cgroups.ts';
import { dividedBy, keyedNumbers, numberIn } from './kernel-text.ts';
import type { Put } from './metric-catalogue.ts';

const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;
/** `cpuacct.stat` counts in hundredths of a second on every architecture Linux shows to programs. */
const TICKS = 100;
const USAGE = 'container_cpu_usage_seconds_total';

/** Answers whether the group is there (still): its processor time is told as long as it is. */
export function readCpu(files: CgroupFiles, put: Put): boolean {
  return files.versionOf('cpu') === 1 ? readV1(files, put) : readV2(files, put);
}

function readV1({ v1 }: CgroupFiles, put: Put): boolean {
  if (!putPerCpu(v1('cpuacct/cpuacct.usage_percpu'), put)) {
    const usage = numberIn(v1('cpuacct/cpuacct.usage'));
    if (usage === undefined) return false;
    put(USAGE, usage / NANOSECONDS, 'cpu="total"');
  }
  const ticks = keyedNumbers(v1('cpuacct/cpuacct.stat'));
  put('container_cpu_user_seconds_total', dividedBy(ticks.get('user'), TICKS));
  put('container_cpu_system_seconds_total', dividedBy(ticks.get('system'), TICKS));
  put('container_spec_cpu_shares', numberIn(v1('cpu/cpu.shares')));
  putLimitV1(v1, put);
  return true;
}

function putLimitV1(v1: CgroupFiles['v1'], put: Put): void {
  const quota = numberIn(v1('cpu/cpu.cfs_quota_us'));
  put('container_spec_cpu_period', numberIn(v1('cpu/cpu.cfs_period_us')));
  if (quota === undefined || quota <= 0) return;
  put('container_spec_cpu_quota', quota);
  const stat = keyedNumbers(v1('cpu/cpu.stat'));
  putThrottling(stat, put);
  put('container_cpu_cfs_throttled_seconds_total', dividedBy(stat.get('throttled_time'), NANOSECONDS));
  put('container_cpu_cfs_burst_seconds_total', dividedBy(stat.get('burst_time'), NANOSECONDS));
}

/** Only the processors it ran on, as cAdvisor does. False when the kernel does not tell. */
function putPerCpu(text: string | undefined, put: Put): boolean {
  const usages = text?.trim().split(' ') ?? [];
  let isAny = false;
  for (const [cpu, usage] of usages.entries()) {
    const nanoseconds = numberIn(usage);
    if (!nanoseconds) continue;
    put(USAGE, nanoseconds / NANOSECONDS, `cpu="cpu${String(cpu).padStart(2, '0')}"`);
    isAny = true;
  }
  return isAny;
}

function readV2({ v2 }: CgroupFiles, put: Put): boolean {
  const stat = keyedNumbers(v2('cpu.stat'));
  if (!stat.has('usage_usec')) return false;
  const seconds = (key: string) => dividedBy(stat.get(key), MICROSECONDS);
  put(USAGE, seconds('usage_usec'), 'cpu="total"');
  put('container_cpu_user_seconds_total', seconds('user_usec'));
  put('container_cpu_system_seconds_total', seconds('system_usec'));
  const weight = numberIn(v2('cpu.weight'));
  put('container_spec_cpu_shares', weight === undefined ? undefined : sharesOf(weight));
  putLimitV2(stat, v2('cpu.max'), put);
  return true;
}

/** `max 100000` for none. */
function putLimitV2(stat: ReadonlyMap<string, number>, max: string | undefined, put: Put): void {
  const seconds = (key: string) => dividedBy(stat.get(key), MICROSECONDS);
  const [quota, period] = (max ?? '').split(' ').map(numberIn);
  put('container_spec_cpu_period', period);
  if (quota === undefined) return;
  put('container_spec_cpu_quota', quota);
  putThrottling(stat, put);
  put('container_cpu_cfs_throttled_seconds_total', seconds('throttled_usec'));
  put('container_cpu_cfs_burst_seconds_total', seconds('burst_usec'));
}

function putThrottling(stat: ReadonlyMap<string, number>, put: Put): void {
  put('container_cpu_cfs_periods_total', stat.get('nr_periods'));
  put('container_cpu_cfs_throttled_periods_total', stat.get('nr_throttled'));
  put('container_cpu_cfs_burst_periods_total', stat.get('nr_bursts'));
}

/**
 * The weight (1-10000) in v1's shares: runc 1.3.2 and later compute `weight = 10^((l² + 125 l) / 612 - 7 / 34)` with
 * l = log2(shares), and this is its inverse. What nobody set is weight 100, which are the 1024 shares Docker means by it.
 */
function sharesOf(weight: number): number {
  const power = 612 * (Math.log10(weight) + 7 / 34);
  return Math.round(2 ** ((Math.sqrt(125 ** 2 + 4 * power) - 125) / 2));
}
