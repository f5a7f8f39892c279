/** Whose series an expression asks for: what we promise to serve, what else its exporters have, and what is others'. Pure. */
import { selectorsOf } from './selectors.ts';

/**
 * `ours`: promised, must have data. `beyond`: of node_exporter, outside the promised series. `not-ours`: of a program we
 * do not stand in for.
 */
export type Ownership = 'ours' | 'beyond' | 'not-ours';

const ofCadvisor = /^(container_|machine_(cpu_|memory_|swap_)|cadvisor_version_info$|node_meta$)/;
const ofNodeExporter = /^(node_|process_)/;

/** Of node_exporter's series those the common dashboards use; docs/metrics.md lists them. */
const promised = [
  /^node_cpu_seconds_total$/,
  /^node_memory_(MemTotal|MemAvailable|MemFree|Buffers|Cached|SwapTotal|SwapFree|Slab)_bytes$/,
  /^node_filesystem_((size|avail|free)_bytes|files|files_free|readonly|device_error)$/,
  /^node_disk_(read|written)_bytes_total$/,
  /^node_disk_(reads|writes)_(completed|merged)_total$/,
  /^node_disk_(read_time|write_time|io_time|io_time_weighted)_seconds_total$/,
  /^node_disk_io_now$/,
  /^node_network_(receive|transmit)_(bytes|packets|errs|drop)_total$/,
  /^node_load(1|5|15)$/,
  /^node_(boot_)?time_seconds$/,
  /^node_uname_info$/,
  /^node_exporter_build_info$/,
  /^node_(intr|context_switches|forks)_total$/,
  /^node_procs_(running|blocked)$/,
  /^node_filefd_(allocated|maximum)$/,
  /^node_vmstat_(pswpin|pswpout|pgmajfault|pgpgin|pgpgout|oom_kill)$/,
  /^node_netstat_(Tcp_(CurrEstab|RetransSegs|OutSegs)|TcpExt_TCPSynRetrans)$/,
  /^node_nf_conntrack_entries(_limit)?$/,
  /^node_sockstat_(TCP_(alloc|inuse|tw)|sockets_used)$/,
  /^node_pressure_(cpu_waiting|(memory|io)_(waiting|stalled))_seconds_total$/,
];

export function ownershipOf(expression: string): Ownership {
  const metrics = selectorsOf(expression).map(({ metric }) => metric);
  if (metrics.every((metric) => metric === '' || isPromised(metric))) return 'ours';
  return metrics.every((metric) => isPromised(metric) || ofNodeExporter.test(metric)) ? 'beyond' : 'not-ours';
}

function isPromised(metric: string): boolean {
  return ofCadvisor.test(metric) || promised.some((pattern) => pattern.test(metric));
}
