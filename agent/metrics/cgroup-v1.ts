/** What a container's cgroup v1 files say, in cAdvisor's terms. Pure. */
import { type CgroupFiles, countLines, keyedNumbers, limitIn, numberIn, scaled, workingSet } from './cgroup-text.ts';
import { presentSamples, type Sample } from './metric-catalogue.ts';

/** Controller -> its files we read. */
export const cgroupV1Files = {
  cpuacct: ['cpuacct.usage', 'cpuacct.stat'],
  cpu: ['cpu.stat', 'cpu.shares', 'cpu.cfs_period_us', 'cpu.cfs_quota_us'],
  memory: [
    'memory.stat',
    'memory.usage_in_bytes',
    'memory.max_usage_in_bytes',
    'memory.kmem.usage_in_bytes',
    'memory.failcnt',
    'memory.oom_control',
    'memory.limit_in_bytes',
    'memory.memsw.limit_in_bytes',
    'memory.soft_limit_in_bytes',
  ],
  pids: ['cgroup.procs', 'pids.current', 'pids.max'],
} as const;

/** `cpuacct.stat` counts in hundredths of a second on every architecture Linux shows to programs. */
const SECONDS_PER_TICK = 0.01;
const SECONDS_PER_NANOSECOND = 1e-9;

export function readCgroupV1(files: CgroupFiles): Sample[] {
  return [...cpuSamples(files), ...memorySamples(files), ...processSamples(files)];
}

function cpuSamples(files: CgroupFiles): Sample[] {
  const ticks = keyedNumbers(files['cpuacct.stat']);
  const quota = numberIn(files['cpu.cfs_quota_us']);
  const limited = quota !== undefined && quota > 0;
  const throttling = keyedNumbers(limited ? files['cpu.stat'] : undefined);
  return presentSamples([
    [
      'container_cpu_usage_seconds_total',
      scaled(numberIn(files['cpuacct.usage']), SECONDS_PER_NANOSECOND),
      { cpu: 'total' },
    ],
    ['container_cpu_user_seconds_total', scaled(ticks.get('user'), SECONDS_PER_TICK)],
    ['container_cpu_system_seconds_total', scaled(ticks.get('system'), SECONDS_PER_TICK)],
    ['container_cpu_cfs_periods_total', throttling.get('nr_periods')],
    ['container_cpu_cfs_throttled_periods_total', throttling.get('nr_throttled')],
    ['container_cpu_cfs_throttled_seconds_total', scaled(throttling.get('throttled_time'), SECONDS_PER_NANOSECOND)],
    ['container_spec_cpu_shares', numberIn(files['cpu.shares'])],
    ['container_spec_cpu_period', numberIn(files['cpu.cfs_period_us'])],
    ['container_spec_cpu_quota', limited ? quota : undefined],
  ]);
}

function memorySamples(files: CgroupFiles): Sample[] {
  const stat = keyedNumbers(files['memory.stat']);
  const hierarchical = (key: string) => stat.get(`total_${key}`) ?? stat.get(key);
  const usage = numberIn(files['memory.usage_in_bytes']);
  return presentSamples([
    ['container_memory_usage_bytes', usage],
    ['container_memory_working_set_bytes', workingSet(usage, hierarchical('inactive_file'))],
    ['container_memory_rss', hierarchical('rss')],
    ['container_memory_cache', hierarchical('cache')],
    ['container_memory_mapped_file', hierarchical('mapped_file')],
    ['container_memory_swap', hierarchical('swap')],
    ['container_memory_kernel_usage', numberIn(files['memory.kmem.usage_in_bytes'])],
    ['container_memory_max_usage_bytes', numberIn(files['memory.max_usage_in_bytes'])],
    ['container_memory_total_active_file_bytes', hierarchical('active_file')],
    ['container_memory_total_inactive_file_bytes', hierarchical('inactive_file')],
    ['container_memory_failcnt', numberIn(files['memory.failcnt'])],
    ...faults(stat),
    ['container_oom_events_total', keyedNumbers(files['memory.oom_control']).get('oom_kill')],
    ['container_spec_memory_limit_bytes', limitIn(files['memory.limit_in_bytes'])],
    ['container_spec_memory_swap_limit_bytes', limitIn(files['memory.memsw.limit_in_bytes'])],
    ['container_spec_memory_reservation_limit_bytes', limitIn(files['memory.soft_limit_in_bytes'])],
  ]);
}

function faults(stat: ReadonlyMap<string, number>) {
  const failures = 'container_memory_failures_total';
  return [
    [failures, stat.get('pgfault'), { failure_type: 'pgfault', scope: 'container' }],
    [failures, stat.get('pgmajfault'), { failure_type: 'pgmajfault', scope: 'container' }],
    [failures, stat.get('total_pgfault'), { failure_type: 'pgfault', scope: 'hierarchy' }],
    [failures, stat.get('total_pgmajfault'), { failure_type: 'pgmajfault', scope: 'hierarchy' }],
  ] as const;
}

function processSamples(files: CgroupFiles): Sample[] {
  return presentSamples([
    ['container_processes', countLines(files['cgroup.procs'])],
    ['container_threads', numberIn(files['pids.current'])],
    ['container_threads_max', limitIn(files['pids.max'])],
  ]);
}
