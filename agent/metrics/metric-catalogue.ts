/** The container metrics we serve, under cAdvisor's names and types, so that existing dashboards work. */

interface MetricDescription {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
}

const counter = (help: string): MetricDescription => ({ type: 'counter', help });
const gauge = (help: string): MetricDescription => ({ type: 'gauge', help });

/** In the order of the page. */
export const containerMetrics = {
  container_cpu_usage_seconds_total: counter('Processor time consumed, over all cores.'),
  container_cpu_user_seconds_total: counter('Processor time consumed in user mode.'),
  container_cpu_system_seconds_total: counter('Processor time consumed in the kernel.'),
  container_cpu_cfs_periods_total: counter('Periods in which the container was runnable under its CPU limit.'),
  container_cpu_cfs_throttled_periods_total: counter('Periods in which the container used up its CPU limit.'),
  container_cpu_cfs_throttled_seconds_total: counter('Time the container was held back by its CPU limit.'),
  container_memory_usage_bytes: gauge('Memory in use, file cache included.'),
  container_memory_working_set_bytes: gauge(
    'Memory in use without inactive file cache: what counts towards the limit.',
  ),
  container_memory_rss: gauge('Anonymous memory, in bytes.'),
  container_memory_cache: gauge('File cache, in bytes.'),
  container_memory_mapped_file: gauge('Mapped files, in bytes.'),
  container_memory_swap: gauge('Swap in use, in bytes.'),
  container_memory_kernel_usage: gauge('Kernel memory, in bytes.'),
  container_memory_max_usage_bytes: gauge('Highest memory usage so far.'),
  container_memory_total_active_file_bytes: gauge('File cache in recent use.'),
  container_memory_total_inactive_file_bytes: gauge('File cache not in recent use.'),
  container_memory_failcnt: counter('Times the memory usage hit the limit.'),
  container_memory_failures_total: counter('Page faults, by kind and scope.'),
  container_oom_events_total: counter('Processes killed because the container was out of memory.'),
  container_network_receive_bytes_total: counter('Bytes received.'),
  container_network_receive_packets_total: counter('Packets received.'),
  container_network_receive_errors_total: counter('Errors while receiving.'),
  container_network_receive_packets_dropped_total: counter('Packets dropped while receiving.'),
  container_network_transmit_bytes_total: counter('Bytes sent.'),
  container_network_transmit_packets_total: counter('Packets sent.'),
  container_network_transmit_errors_total: counter('Errors while sending.'),
  container_network_transmit_packets_dropped_total: counter('Packets dropped while sending.'),
  container_processes: gauge('Processes in the container.'),
  container_threads: gauge('Threads in the container.'),
  container_threads_max: gauge('Limit of threads, 0 for none.'),
  container_last_seen: gauge('When the container was last seen running, in Unix seconds.'),
  container_start_time_seconds: gauge('When the container was started, in Unix seconds.'),
  container_spec_cpu_shares: gauge('CPU weight of the container in cgroup v1 shares.'),
  container_spec_cpu_period: gauge('Period of the CPU limit, in microseconds.'),
  container_spec_cpu_quota: gauge('CPU time allowed per period, in microseconds; absent without a limit.'),
  container_spec_memory_limit_bytes: gauge('Memory limit, 0 for none.'),
  container_spec_memory_swap_limit_bytes: gauge('Swap limit as the kernel words it, 0 for none.'),
  container_spec_memory_reservation_limit_bytes: gauge('Memory the kernel tries to leave to the container.'),
} as const satisfies Record<string, MetricDescription>;

export type ContainerMetricName = keyof typeof containerMetrics;

/** One number of one container. A source that does not exist gives no sample, never a 0. */
export interface Sample {
  readonly name: ContainerMetricName;
  readonly value: number;
  /** Labels beside those of the container. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Drops the samples whose source was absent or unreadable. */
export function presentSamples(
  values: readonly (readonly [ContainerMetricName, number | undefined, Readonly<Record<string, string>>?])[],
): Sample[] {
  return values.flatMap(([name, value, labels]) =>
    value === undefined || Number.isNaN(value) ? [] : [labels ? { name, value, labels } : { name, value }],
  );
}
