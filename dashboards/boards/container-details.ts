/** Rows of the board of tasks: what only few want to know of containers, and those few badly. */
import { each, highest, ofServices, onDisks, rateEach, taskLines, taskNamed } from '../containers.ts';
import { foldedRow, graph, shareGraph } from '../panels.ts';

const pressure = (what: string) => rateEach(`container_pressure_${what}_seconds_total`);

export const limitsRow = foldedRow(
  'Limits and what is open',
  graph(
    'Processes and threads',
    'In each container; the limit of threads beside where there is one.',
    'short',
    taskLines({
      processes: each('container_processes'),
      threads: each('container_threads'),
      'threads at most': `${highest('container_threads_max')} > 0`,
    }),
    { min: 0 },
  ),
  graph(
    'Open files and sockets',
    'In each container; sockets are counted in turn.',
    'short',
    taskLines({ files: each('container_file_descriptors'), sockets: each('container_sockets') }),
    { min: 0 },
  ),
  graph(
    'Limits of processes',
    'Soft limits of each container’s first process, where it has any.',
    'short',
    {
      '{{task}} {{ulimit}}': `max by (task, ulimit) (${taskNamed(ofServices('container_ulimits_soft'))}) >= 0`,
    },
    { min: 0 },
  ),
  graph(
    'Weight',
    'Weight of a container where processors are short; 1024 unless told otherwise.',
    'short',
    { '{{task}}': highest('container_spec_cpu_shares') },
    { min: 0 },
  ),
  graph(
    'Processor limits',
    'Cores a container may use, where it is limited.',
    'suffix: cores',
    { '{{task}}': `${highest('container_spec_cpu_quota')} / ${highest('container_spec_cpu_period')}` },
    { min: 0 },
  ),
  graph(
    'Memory limits',
    'Limit, limit with swap, and what the kernel tries to leave to the container, where there is any.',
    'bytes',
    taskLines({
      limit: `${highest('container_spec_memory_limit_bytes')} > 0`,
      'with swap': `${highest('container_spec_memory_swap_limit_bytes')} > 0`,
      reserved: `${highest('container_spec_memory_reservation_limit_bytes')} > 0`,
    }),
    { min: 0 },
  ),
  graph(
    'Made',
    'How long ago each container was created.',
    's',
    { '{{task}}': `time() - ${highest('container_creation_time_seconds')}` },
    { min: 0 },
  ),
);

export const pressureRow = foldedRow(
  'Pressure, bursts and cache',
  shareGraph(
    'Waiting',
    'Share of time in which some of a task’s processes waited, where the kernel tells (cgroup v2).',
    taskLines({ processor: pressure('cpu_waiting'), memory: pressure('memory_waiting'), disk: pressure('io_waiting') }),
  ),
  shareGraph(
    'Stalled',
    'Share of time in which all of a task’s processes waited, where the kernel tells (cgroup v2).',
    taskLines({ processor: pressure('cpu_stalled'), memory: pressure('memory_stalled'), disk: pressure('io_stalled') }),
  ),
  graph(
    'Bursts',
    'Periods per second over the processor limit by a burst, and processor time in them.',
    'suffix: /s',
    taskLines({
      periods: rateEach('container_cpu_cfs_burst_periods_total'),
      seconds: rateEach('container_cpu_cfs_burst_seconds_total'),
    }),
    { min: 0 },
  ),
  graph(
    'File cache',
    'Recently used, long unused, and not on disk yet.',
    'bytes',
    taskLines({
      active: each('container_memory_total_active_file_bytes'),
      inactive: each('container_memory_total_inactive_file_bytes'),
      'not on disk': each('container_memory_file_dirty_bytes'),
      'being written': each('container_memory_file_writeback_bytes'),
    }),
    { min: 0 },
  ),
  graph(
    'Reclaim',
    'Pages per second looked at and taken back by the kernel, and those wanted again right after.',
    'suffix: /s',
    taskLines({
      'looked at': rateEach('container_memory_pgscan_total'),
      reclaimed: rateEach('container_memory_pgsteal_total'),
      'wanted again (programs)': rateEach('container_memory_workingset_refault_anon_total'),
      'wanted again (files)': rateEach('container_memory_workingset_refault_file_total'),
    }),
    { min: 0 },
  ),
);

export const disksRow = foldedRow(
  'Disks in detail',
  graph(
    'Waiting requests',
    'Requests in progress, on average and now.',
    'short',
    taskLines({ 'on average': onDisks('io_time_weighted_seconds_total'), now: each('container_fs_io_current') }),
    { min: 0 },
  ),
  shareGraph('Busy', 'Share of time with requests in progress.', { '{{task}}': onDisks('io_time_seconds_total') }),
  graph(
    'Time per request',
    'Mean time of a read and of a write.',
    's',
    taskLines({
      read: `${onDisks('read_seconds_total')} / (${onDisks('reads_total')} > 0)`,
      write: `${onDisks('write_seconds_total')} / (${onDisks('writes_total')} > 0)`,
    }),
    { min: 0 },
  ),
  graph(
    'Device time',
    'Seconds per second charged and held back by the io.cost controller, where it is on.',
    'suffix: /s',
    taskLines({
      charged: onDisks('io_cost_usage_seconds_total'),
      'held back': onDisks('io_cost_wait_seconds_total'),
      'in debt': onDisks('io_cost_indebt_seconds_total'),
      delayed: onDisks('io_cost_indelay_seconds_total'),
    }),
    { min: 0 },
  ),
  graph(
    'Writable layers',
    'Bytes in a container’s layer and logs, where agents measure them (--measure-layers).',
    'bytes',
    { '{{task}}': each('container_fs_usage_bytes') },
    { min: 0 },
  ),
);
