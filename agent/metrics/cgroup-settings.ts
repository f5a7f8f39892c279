/**
 * The cgroup files that hold what a container was created with: only `docker update` (and whoever writes there by hand)
 * changes them. They are a third of what there is to read.
 */
const settings: ReadonlySet<string> = new Set([
  'cpu/cpu.shares',
  'cpu/cpu.cfs_period_us',
  'cpu/cpu.cfs_quota_us',
  'cpu.weight',
  'cpu.max',
  'memory/memory.limit_in_bytes',
  'memory/memory.memsw.limit_in_bytes',
  'memory/memory.soft_limit_in_bytes',
  'memory.max',
  'memory.swap.max',
  'memory.low',
]);

export function isSettingFile(name: string): boolean {
  return settings.has(name);
}
