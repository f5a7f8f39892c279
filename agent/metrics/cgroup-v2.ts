/** What a container's cgroup v2 files say, in cAdvisor's terms. Pure. Formats: the kernel's cgroup-v2.rst. */
import { type CgroupFiles, countLines, keyedNumbers, limitIn, numberIn, scaled, workingSet } from './cgroup-text.ts';
import { presentSamples, type Sample } from './metric-catalogue.ts';

export const cgroupV2Files = [
  'cpu.stat',
  'cpu.max',
  'cpu.weight',
  'memory.stat',
  'memory.current',
  'memory.peak',
  'memory.swap.current',
  'memory.events',
  'memory.max',
  'memory.swap.max',
  'memory.low',
  'cgroup.procs',
  'pids.current',
  'pids.max',
] as const;

const SECONDS_PER_MICROSECOND = 1e-6;

export function readCgroupV2(files: CgroupFiles): Sample[] {
  return [...cpuSamples(files), ...memorySamples(files), ...processSamples(files)];
}

function cpuSamples(files: CgroupFiles): Sample[] {
  const stat = keyedNumbers(files['cpu.stat']);
  const [quota, period] = (files['cpu.max'] ?? '').trim().split(' ').map(numberIn);
  const limited = quota !== undefined;
  const seconds = (key: string) => scaled(stat.get(key), SECONDS_PER_MICROSECOND);
  return presentSamples([
    ['container_cpu_usage_seconds_total', seconds('usage_usec'), { cpu: 'total' }],
    ['container_cpu_user_seconds_total', seconds('user_usec')],
    ['container_cpu_system_seconds_total', seconds('system_usec')],
    ['container_cpu_cfs_periods_total', limited ? stat.get('nr_periods') : undefined],
    ['container_cpu_cfs_throttled_periods_total', limited ? stat.get('nr_throttled') : undefined],
    ['container_cpu_cfs_throttled_seconds_total', limited ? seconds('throttled_usec') : undefined],
    ['container_spec_cpu_shares', sharesOf(numberIn(files['cpu.weight']))],
    ['container_spec_cpu_period', period],
    ['container_spec_cpu_quota', quota],
  ]);
}

/** The weight (1-10000) in v1's shares (2-262144), by the linear rule most runtimes used when they set it. */
function sharesOf(weight: number | undefined): number | undefined {
  return weight === undefined ? undefined : 2 + Math.round(((weight - 1) * 262_142) / 9_999);
}

function memorySamples(files: CgroupFiles): Sample[] {
  const stat = keyedNumbers(files['memory.stat']);
  const events = keyedNumbers(files['memory.events']);
  const usage = numberIn(files['memory.current']);
  return presentSamples([
    ['container_memory_usage_bytes', usage],
    ['container_memory_working_set_bytes', workingSet(usage, stat.get('inactive_file'))],
    ['container_memory_rss', stat.get('anon')],
    ['container_memory_cache', stat.get('file')],
    ['container_memory_mapped_file', stat.get('file_mapped')],
    ['container_memory_swap', numberIn(files['memory.swap.current'])],
    ['container_memory_kernel_usage', stat.get('kernel')],
    ['container_memory_max_usage_bytes', numberIn(files['memory.peak'])],
    ['container_memory_total_active_file_bytes', stat.get('active_file')],
    ['container_memory_total_inactive_file_bytes', stat.get('inactive_file')],
    ['container_memory_failcnt', events.get('max')],
    ...faults(stat),
    ['container_oom_events_total', events.get('oom_kill')],
    ['container_spec_memory_limit_bytes', limitIn(files['memory.max'])],
    ['container_spec_memory_swap_limit_bytes', limitIn(files['memory.swap.max'])],
    // cAdvisor reads memory.min, which Docker never writes: its reservation lands in memory.low.
    ['container_spec_memory_reservation_limit_bytes', limitIn(files['memory.low'])],
  ]);
}

/** v2 counts for the whole subtree only. */
function faults(stat: ReadonlyMap<string, number>) {
  return (['container', 'hierarchy'] as const).flatMap((scope) =>
    ['pgfault', 'pgmajfault'].map(
      (kind) => ['container_memory_failures_total', stat.get(kind), { failure_type: kind, scope }] as const,
    ),
  );
}

function processSamples(files: CgroupFiles): Sample[] {
  return presentSamples([
    ['container_processes', countLines(files['cgroup.procs'])],
    ['container_threads', numberIn(files['pids.current'])],
    ['container_threads_max', limitIn(files['pids.max'])],
  ]);
}
