/** Expressions that may be without data in a cluster that is well, each with the reason. Reviewed by people. */

interface Absence {
  /** A part of the expression. */
  readonly expression: RegExp;
  readonly reason: string;
}

const counts = (metrics: string) => new RegExp(`\\b(${metrics})\\b`);

const absentInHealth: readonly Absence[] = [
  {
    expression: /^max by \(service, stack\) \(plimsoll_service_status_replicas_unavailable\S*\) > 0$|^ALERTS/,
    reason: 'only services that are short of tasks',
  },
  {
    expression: counts('plimsoll_service_oom_kills_total|plimsoll_agent_oom_kills_total|container_oom_events_total'),
    reason: 'nothing was killed for want of memory',
  },
  {
    expression: counts(
      'container_memory_failcnt|container_memory_events_(high|max)_total|container_memory_pg(scan|steal)_total',
    ),
    reason: 'no container came near its memory limit; some only with cgroup v2',
  },
  {
    expression: counts('container_memory_(file_dirty|file_writeback)_bytes|container_memory_workingset_refault_\\w+'),
    reason: 'only with cgroup v2',
  },
  {
    expression: counts('container_pressure_\\w+|container_cpu_cfs_burst_\\w+|container_memory_kernel_usage'),
    reason: 'only with some versions of cgroups and kernels',
  },
  {
    expression: counts('node_pressure_\\w+|node_schedstat_\\w+|node_nf_conntrack_\\w+|node_cpu_guest_seconds_total'),
    reason: 'only with some kernels',
  },
  {
    expression: counts('container_fs_(reads|writes|io)\\w*|container_fs_(read|write)_seconds_total'),
    reason:
      'with cgroup v1 newer kernels count disk traffic only after a limit; time and queues only with some schedulers',
  },
  { expression: counts('container_fs_usage_bytes'), reason: 'only with --measure-layers' },
  {
    expression: counts('container_threads_max|container_memory_max_usage_bytes|container_creation_time_seconds'),
    reason: 'where there is a limit of threads; with cgroup v2 only on newer kernels',
  },
  {
    expression: counts(
      'container_(cpu_load|cpu_load_d)_average_10s|container_tasks_state|container_file_descriptors|container_sockets',
    ),
    reason: 'counted in turn: some scrapes late',
  },
  { expression: /node_filefd_maximum\S* </, reason: 'only with kernels that limit file handles' },
  {
    expression: /container_spec_memory_reservation_limit_bytes.* > 0$/,
    reason: 'not with cgroup v2, where Docker sets memory.low',
  },
  {
    expression: counts('node_network_\\w+_(errs|drop)_total'),
    reason: 'only devices that lost packets',
  },
  {
    expression: counts('plimsoll_node_probes_total|plimsoll_task_failover_duration_seconds_bucket'),
    reason: 'no node was silent',
  },
  {
    expression: counts(
      'plimsoll_coordinator_loop_errors_total|plimsoll_plan_(action_failures|skipped)_total|plimsoll_leader_doubts_total',
    ),
    reason: 'the leader could do all it wanted',
  },
  { expression: /plimsoll_api_requests_total\S*code=~"\[45\]/, reason: 'no request was refused' },
  {
    expression: counts(
      'plimsoll_engine_failures_total|plimsoll_agent_probe_failures_total|plimsoll_task_failures_total',
    ),
    reason: 'engines served every call, no probe failed',
  },
  {
    expression: counts(
      'plimsoll_bus_(ping_failures|slow_consumers|server_errors|write_conflicts|lost_acknowledgements|watch_rebuilds)_total',
    ),
    reason: 'NATS answered in time',
  },
  {
    expression: counts('plimsoll_bus_(records_quarantined|messages_dropped|publish_failures|handler_errors)_total'),
    reason: 'everything on the bus was understood',
  },
  {
    expression: counts('plimsoll_autoscaler_failures_total|plimsoll_autoscaler_prometheus_queries_total'),
    reason: 'no decision failed; no service scales by a query',
  },
  { expression: counts('plimsoll_alerts_\\w+'), reason: 'no Alertmanager sends alerts' },
  {
    expression: /_request_duration_seconds_bucket",/,
    reason: 'only services that serve such a histogram; the example serves none',
  },
  {
    expression: counts('plimsoll_rollout_duration_seconds_bucket'),
    reason: 'no update came to its end in the last minute',
  },
];

export function isAbsentInHealth(expression: string): boolean {
  return absentInHealth.some((absence) => absence.expression.test(expression));
}
