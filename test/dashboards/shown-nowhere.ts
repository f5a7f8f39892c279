/** Metrics that no dashboard and no alert of ours uses, each with the reason it is served all the same. Reviewed by people. */

interface Exception {
  /** The name as docs/metrics.md writes it. */
  readonly metrics: RegExp;
  readonly reason: string;
}

export const shownNowhere: readonly Exception[] = [
  {
    metrics: /^(cadvisor_version_info|node_exporter_build_info|node_meta)$/,
    reason: 'dashboards of others find their hosts by it',
  },
  {
    metrics: /^machine_(cpu_physical_cores|cpu_sockets|swap_bytes|dimm_\w+|scrape_error)$/,
    reason: 'inventory that dashboards made for cAdvisor show; ours show cores and memory',
  },
  {
    metrics: /^container_(fs_(sector_\w+|\w+_merged_total|inodes_\w+|limit_bytes)|blkio_device_usage_total)$/,
    reason: "cAdvisor's other words for what container_fs_reads_bytes_total and its like say",
  },
  {
    metrics: /^plimsoll_container_info$/,
    reason: 'for joins in expressions of your own; our boards have the labels they need',
  },
];
