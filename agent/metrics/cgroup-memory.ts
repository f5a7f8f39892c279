/** Memory of a cgroup, in cAdvisor's terms. Formats: the kernel's cgroup-v1/memory.rst and cgroup-v2.rst. */
import type { CgroupFiles } from './container-cgroups.ts';
import { keyedNumbers, limitIn, numberIn, workingSet } from './kernel-text.ts';
import type { ContainerMetricName, Put } from './metric-catalogue.ts';

type Stat = ReadonlyMap<string, number>;

export function readMemory(files: CgroupFiles, put: Put): void {
  if (files.versionOf('memory') === 1) readV1(files, put);
  else readV2(files, put);
}

/** How many processes of the group the kernel has killed for want of memory. */
export function oomKillsIn(files: CgroupFiles): number | undefined {
  const isV1 = files.versionOf('memory') === 1;
  return keyedNumbers(isV1 ? files.v1('memory/memory.oom_control') : files.v2('memory.events')).get('oom_kill');
}

/** Metric -> key of `memory.stat` in v1, with `total_` before it for the whole subtree, and in v2. */
const statKeys: readonly (readonly [ContainerMetricName, string | undefined, string])[] = [
  ['container_memory_rss', 'rss', 'anon'],
  ['container_memory_cache', 'cache', 'file'],
  ['container_memory_mapped_file', 'mapped_file', 'file_mapped'],
  ['container_memory_total_active_file_bytes', 'active_file', 'active_file'],
  ['container_memory_total_inactive_file_bytes', 'inactive_file', 'inactive_file'],
  ['container_memory_file_dirty_bytes', 'dirty', 'file_dirty'],
  ['container_memory_file_writeback_bytes', 'writeback', 'file_writeback'],
  ['container_memory_workingset_refault_anon_total', 'workingset_refault_anon', 'workingset_refault_anon'],
  ['container_memory_workingset_refault_file_total', 'workingset_refault_file', 'workingset_refault_file'],
  ['container_memory_pgscan_total', undefined, 'pgscan'],
  ['container_memory_pgsteal_total', undefined, 'pgsteal'],
];

function readV1({ v1 }: CgroupFiles, put: Put): void {
  const stat = keyedNumbers(v1('memory/memory.stat'));
  const hierarchical = (key: string) => stat.get(`total_${key}`) ?? stat.get(key);
  const usage = numberIn(v1('memory/memory.usage_in_bytes'));
  put('container_memory_usage_bytes', usage);
  put('container_memory_working_set_bytes', workingSet(usage, hierarchical('inactive_file')));
  for (const [metric, key] of statKeys) if (key !== undefined) put(metric, hierarchical(key));
  put('container_memory_swap', hierarchical('swap'));
  put('container_memory_kernel_usage', numberIn(v1('memory/memory.kmem.usage_in_bytes')));
  put('container_memory_max_usage_bytes', numberIn(v1('memory/memory.max_usage_in_bytes')));
  put('container_memory_failcnt', numberIn(v1('memory/memory.failcnt')));
  putFaults(stat, 'container', '', put);
  putFaults(stat, 'hierarchy', 'total_', put);
  put('container_spec_memory_limit_bytes', limitIn(v1('memory/memory.limit_in_bytes')));
  put('container_spec_memory_swap_limit_bytes', limitIn(v1('memory/memory.memsw.limit_in_bytes')));
  put('container_spec_memory_reservation_limit_bytes', limitIn(v1('memory/memory.soft_limit_in_bytes')));
}

function readV2({ v2 }: CgroupFiles, put: Put): void {
  const stat = keyedNumbers(v2('memory.stat'));
  const events = keyedNumbers(v2('memory.events'));
  // The root group has no memory.current.
  const usage = numberIn(v2('memory.current')) ?? sum(stat.get('anon'), stat.get('file'));
  put('container_memory_usage_bytes', usage);
  put('container_memory_working_set_bytes', workingSet(usage, stat.get('inactive_file')));
  for (const [metric, , key] of statKeys) put(metric, stat.get(key));
  put('container_memory_swap', numberIn(v2('memory.swap.current')));
  put('container_memory_kernel_usage', stat.get('kernel'));
  put('container_memory_max_usage_bytes', numberIn(v2('memory.peak')));
  put('container_memory_failcnt', events.get('max'));
  put('container_memory_events_high_total', events.get('high'));
  put('container_memory_events_max_total', events.get('max'));
  // v2 counts for the whole subtree only.
  putFaults(stat, 'container', '', put);
  putFaults(stat, 'hierarchy', '', put);
  put('container_spec_memory_limit_bytes', limitIn(v2('memory.max')));
  put('container_spec_memory_swap_limit_bytes', limitIn(v2('memory.swap.max')));
  // cAdvisor reads memory.min, which Docker never writes: its reservation lands in memory.low.
  put('container_spec_memory_reservation_limit_bytes', limitIn(v2('memory.low')));
}

function sum(first: number | undefined, second: number | undefined): number | undefined {
  return first === undefined || second === undefined ? undefined : first + second;
}

function putFaults(stat: Stat, scope: 'container' | 'hierarchy', prefix: '' | 'total_', put: Put): void {
  for (const kind of ['pgfault', 'pgmajfault']) {
    put('container_memory_failures_total', stat.get(prefix + kind), `failure_type="${kind}",scope="${scope}"`);
  }
}
