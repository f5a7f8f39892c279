/** The container metrics we serve, under cAdvisor's names and types, so that existing dashboards work. */

interface MetricDescription {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
}

const counter = (help: string): MetricDescription => ({ type: 'counter', help });
const gauge = (help: string): MetricDescription => ({ type: 'gauge', help });

/** In the order of the page. */
export const containerMetrics = {
  container_cpu_usage_seconds_total: counter('Processor time consumed; by processor where the kernel tells.'),
  container_cpu_user_seconds_total: counter('Processor time consumed in user mode.'),
  container_cpu_system_seconds_total: counter('Processor time consumed in the kernel.'),
  container_cpu_cfs_periods_total: counter('Periods in which the container was runnable under its CPU limit.'),
  container_cpu_cfs_throttled_periods_total: counter('Periods in which the container used up its CPU limit.'),
  container_cpu_cfs_throttled_seconds_total: counter('Time the container was held back by its CPU limit.'),
  container_cpu_cfs_burst_periods_total: counter('Periods in which the container went over its CPU limit by a burst.'),
  container_cpu_cfs_burst_seconds_total: counter('Processor time consumed in bursts over the CPU limit.'),
  container_cpu_load_average_10s: gauge('Running processes, smoothed over 10 s, in thousandths.'),
  container_cpu_load_d_average_10s: gauge('Processes in uninterruptible sleep, smoothed over 10 s, in thousandths.'),
  container_tasks_state: gauge('Processes by state; all 0 in a container with more than the agent looks at.'),
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
  container_memory_file_dirty_bytes: gauge('File cache that is not on disk yet.'),
  container_memory_file_writeback_bytes: gauge('File cache on its way to disk.'),
  container_memory_failcnt: counter('Times the memory usage hit the limit.'),
  container_memory_failures_total: counter('Page faults, by kind and scope.'),
  container_memory_events_high_total: counter('Times the container was throttled for its memory.'),
  container_memory_events_max_total: counter('Times the memory usage was about to exceed the limit.'),
  container_memory_pgscan_total: counter('Pages the kernel looked at to reclaim them.'),
  container_memory_pgsteal_total: counter('Pages the kernel reclaimed.'),
  container_memory_workingset_refault_anon_total: counter('Anonymous pages needed again right after their reclaim.'),
  container_memory_workingset_refault_file_total: counter('File pages needed again right after their reclaim.'),
  container_oom_events_total: counter('Processes killed because the container was out of memory.'),
  container_pressure_cpu_waiting_seconds_total: counter('Time in which some tasks waited for a processor.'),
  container_pressure_cpu_stalled_seconds_total: counter('Time in which all tasks waited for a processor.'),
  container_pressure_memory_waiting_seconds_total: counter('Time in which some tasks waited for memory.'),
  container_pressure_memory_stalled_seconds_total: counter('Time in which all tasks waited for memory.'),
  container_pressure_io_waiting_seconds_total: counter('Time in which some tasks waited for a disk.'),
  container_pressure_io_stalled_seconds_total: counter('Time in which all tasks waited for a disk.'),
  container_fs_reads_bytes_total: counter('Bytes read from disk.'),
  container_fs_writes_bytes_total: counter('Bytes written to disk.'),
  container_fs_reads_total: counter('Reads completed.'),
  container_fs_writes_total: counter('Writes completed.'),
  container_fs_reads_merged_total: counter('Reads merged with a neighbour.'),
  container_fs_writes_merged_total: counter('Writes merged with a neighbour.'),
  container_fs_sector_reads_total: counter('Sectors read.'),
  container_fs_sector_writes_total: counter('Sectors written.'),
  container_fs_read_seconds_total: counter('Seconds spent by all reads.'),
  container_fs_write_seconds_total: counter('Seconds spent by all writes.'),
  container_fs_io_current: gauge('Requests in progress.'),
  container_fs_io_time_seconds_total: counter('Seconds with requests in progress.'),
  container_fs_io_time_weighted_seconds_total: counter('Seconds spent by all requests.'),
  container_fs_io_cost_usage_seconds_total: counter('Device time charged by the io.cost controller.'),
  container_fs_io_cost_wait_seconds_total: counter('Time held back by the io.cost controller.'),
  container_fs_io_cost_indebt_seconds_total: counter('Time in debt to the io.cost controller.'),
  container_fs_io_cost_indelay_seconds_total: counter('Time delayed for debts to the io.cost controller.'),
  container_blkio_device_usage_total: counter('Bytes transferred, by device and operation.'),
  container_fs_usage_bytes: gauge('Bytes in use: of the writable layer and logs, or of a partition of the host.'),
  container_fs_limit_bytes: gauge('Size of the file system they lie on.'),
  container_fs_inodes_total: gauge('Inodes: used by the writable layer, or all of a partition of the host.'),
  container_fs_inodes_free: gauge('Inodes left on a partition of the host.'),
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
  container_file_descriptors: gauge('Open file descriptors.'),
  container_sockets: gauge('Open sockets; counted in turn, so up to some scrapes old.'),
  container_ulimits_soft: gauge('Soft limits of the first process, -1 for none.'),
  container_last_seen: gauge('When the container was last seen running, in Unix seconds.'),
  container_start_time_seconds: gauge('When the container was started, in Unix seconds.'),
  container_creation_time_seconds: gauge('When the container was created, in Unix seconds.'),
  container_health_state: gauge('1 healthy, 0 starting or unhealthy, -1 without a health check.'),
  container_spec_cpu_shares: gauge('CPU weight of the container in cgroup v1 shares.'),
  container_spec_cpu_period: gauge('Period of the CPU limit, in microseconds.'),
  container_spec_cpu_quota: gauge('CPU time allowed per period, in microseconds; absent without a limit.'),
  container_spec_memory_limit_bytes: gauge('Memory limit, 0 for none.'),
  container_spec_memory_swap_limit_bytes: gauge('Swap limit as the kernel words it, 0 for none.'),
  container_spec_memory_reservation_limit_bytes: gauge('Memory the kernel tries to leave to the container.'),
  plimsoll_container_info: gauge('Always 1; what else is known of a container, to be joined by id.'),
} as const satisfies Record<string, MetricDescription>;

export type ContainerMetricName = keyof typeof containerMetrics;

/**
 * Takes one number of one container. A source that does not exist gives `undefined`, which is no sample, never a 0.
 * `labels` are those beside the container's own, rendered: `device="/dev/sda"`.
 */
export type Put = (metric: ContainerMetricName, value: number | undefined, labels?: string) => void;
