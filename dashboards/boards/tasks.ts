/** Tasks and their containers, as deep as the kernel tells. */
import type { Board } from '../board.ts';
import { byTask, each, highest, ofServices, onDisks, rateEach, rateOf, taskLines, taskNamed } from '../containers.ts';
import { column, countsGraph, few, graph, none, plain, rising, row, shareGraph, stat, table } from '../panels.ts';
import { count, increase, inLastHour, max, of, onNodes, orZero, sum } from '../promql.ts';
import { placed, taskColumns } from '../tasks.ts';
import { instance, job, services, stack } from '../variables.ts';
import { disksRow, limitsRow, pressureRow } from './container-details.ts';

const chosen = (metric: string, ...matchers: string[]) => of(metric, 'service=~"$service"', ...matchers);

const columns = taskColumns(chosen);

export const tasks: Board = {
  uid: 'plimsoll-tasks',
  title: 'Plimsoll / Tasks and containers',
  description: 'Tasks and their containers, as deep as the kernel tells.',
  variables: [job, stack, services, instance],
  marks: [
    {
      name: 'Deploys',
      expr: `1000 * ${max('service', chosen('plimsoll_service_updated_timestamp_seconds'))}`,
      text: '{{service}} changed',
      color: 'blue',
    },
  ],
  rows: [
    row(
      'Tasks',
      stat(
        'Containers',
        'Running containers of the services chosen.',
        'short',
        count('', ofServices('container_last_seen')),
        plain,
      ),
      stat(
        'Unhealthy',
        'Containers whose health check fails or has not yet passed.',
        'short',
        orZero(count('', `${ofServices('container_health_state')} == 0`)),
        few,
      ),
      stat(
        'Ready',
        'Tasks that run and are healthy where there is a health check.',
        'short',
        sum('', max('service, task', chosen('plimsoll_task_status_ready'))),
        plain,
      ),
      stat(
        'Engines that list badly',
        'Nodes whose engine does not tell which containers run: those known before are measured.',
        'short',
        orZero(count('', `${onNodes('container_scrape_error')} == 1`)),
        none,
      ),
      table(
        'Tasks',
        'Where each task is, how it is and what it may use.',
        ['service', 'slot', 'node'],
        [
          columns.ready,
          columns.restarts,
          column(
            'Killed for memory in the last hour',
            'short',
            placed(inLastHour(chosen('plimsoll_task_oom_kills_total'))),
            none,
          ),
          columns.lastExit,
          column('Cores reserved', 'short', placed(chosen('plimsoll_task_resource_requests', 'resource="cpu"'))),
          column('Memory reserved', 'bytes', placed(chosen('plimsoll_task_resource_requests', 'resource="memory"'))),
          column('Core limit', 'short', placed(chosen('plimsoll_task_resource_limits', 'resource="cpu"'))),
          column('Memory limit', 'bytes', placed(chosen('plimsoll_task_resource_limits', 'resource="memory"'))),
          columns.started,
        ],
      ),
      graph(
        'By state',
        'Tasks by the state of their current attempt.',
        'short',
        {
          '{{state}}': `count by (state) (max by (service, task, state) (${chosen('plimsoll_task_status_state')}) == 1)`,
        },
        { steps: true, stacked: true, min: 0 },
      ),
      graph(
        'Age',
        'Time since each container was started: a saw-tooth is a crash loop.',
        's',
        { '{{task}}': `time() - ${highest('container_start_time_seconds')}` },
        { min: 0 },
      ),
    ),
    row(
      'Processors',
      graph(
        'Used',
        'Cores in use by each task.',
        'suffix: cores',
        { '{{task}}': rateEach('container_cpu_usage_seconds_total') },
        { min: 0 },
      ),
      graph(
        'In programs and in the kernel',
        'Cores in use in user mode and in the kernel.',
        'suffix: cores',
        taskLines({
          user: rateEach('container_cpu_user_seconds_total'),
          kernel: rateEach('container_cpu_system_seconds_total'),
        }),
        { min: 0 },
      ),
      shareGraph(
        'Held back',
        'Share of periods in which a task had used up its limit.',
        {
          '{{task}}': `${rateEach('container_cpu_cfs_throttled_periods_total')} / ${rateEach('container_cpu_cfs_periods_total')}`,
        },
        { thresholds: rising(0.1, 0.25) },
      ),
      graph(
        'Time held back',
        'Seconds per second that a task was held back by its limit, all processors together.',
        'suffix: cores',
        { '{{task}}': rateEach('container_cpu_cfs_throttled_seconds_total') },
        { min: 0 },
      ),
      graph(
        'Processes that run or wait',
        'Smoothed over ten seconds; waiting for a disk beside.',
        'short',
        taskLines({
          running: `${each('container_cpu_load_average_10s')} / 1000`,
          'waiting for a disk': `${each('container_cpu_load_d_average_10s')} / 1000`,
        }),
        { min: 0 },
      ),
      graph(
        'Processes by state',
        'Of the services chosen.',
        'short',
        { '{{state}}': sum('state', ofServices('container_tasks_state')) },
        { stacked: true, min: 0 },
      ),
    ),
    row(
      'Memory',
      graph(
        'Working set',
        'Memory in use without file cache that can be dropped: what counts towards the limit.',
        'bytes',
        { '{{task}}': each('container_memory_working_set_bytes') },
        { min: 0 },
      ),
      shareGraph(
        'Beside its limit',
        'Share of its memory limit that a task uses: at 100 % the kernel ends it.',
        {
          '{{task}}': `${each('container_memory_working_set_bytes')} / (${each('container_spec_memory_limit_bytes')} > 0)`,
        },
        { thresholds: rising(0.8, 0.95) },
      ),
      graph(
        'What it is used for',
        'Of the services chosen, by kind. Cache is given back when programs want it.',
        'bytes',
        {
          'programs (rss)': `sum(${ofServices('container_memory_rss')})`,
          'file cache': `sum(${ofServices('container_memory_cache')})`,
          'mapped files': `sum(${ofServices('container_memory_mapped_file')})`,
          kernel: `sum(${ofServices('container_memory_kernel_usage')})`,
          swap: `sum(${ofServices('container_memory_swap')})`,
        },
        { min: 0 },
      ),
      graph(
        'In use and at most',
        'Memory in use, file cache included, and the most there ever was.',
        'bytes',
        taskLines({
          'in use': each('container_memory_usage_bytes'),
          'at most': highest('container_memory_max_usage_bytes'),
        }),
        { min: 0 },
      ),
      countsGraph(
        'Limit reached',
        'Times a task’s memory hit its limit, and processes killed for it.',
        taskLines({
          'hit its limit': `${byTask(increase(ofServices('container_memory_failcnt')))} > 0`,
          killed: `${byTask(increase(ofServices('container_oom_events_total')))} > 0`,
          throttled: `${byTask(increase(ofServices('container_memory_events_high_total')))} > 0`,
          'about to exceed': `${byTask(increase(ofServices('container_memory_events_max_total')))} > 0`,
        }),
      ),
      graph(
        'Page faults',
        'Faults per second, and those of them that had to read the disk.',
        'suffix: /s',
        {
          '{{task}} {{failure_type}}': `sum by (task, failure_type) (${taskNamed(rateOf('container_memory_failures_total', 'scope="container"'))})`,
        },
        { min: 0 },
      ),
    ),
    row(
      'Network and disk',
      graph(
        'Received',
        'Bytes per second.',
        'Bps',
        { '{{task}}': rateEach('container_network_receive_bytes_total') },
        { min: 0 },
      ),
      graph(
        'Sent',
        'Bytes per second.',
        'Bps',
        { '{{task}}': rateEach('container_network_transmit_bytes_total') },
        { min: 0 },
      ),
      graph(
        'Packets',
        'Packets per second, both ways.',
        'pps',
        taskLines({
          in: rateEach('container_network_receive_packets_total'),
          out: rateEach('container_network_transmit_packets_total'),
        }),
        { min: 0 },
      ),
      graph(
        'Packets lost',
        'Packets per second that a task’s network device could not take or send.',
        'pps',
        taskLines({
          'receive errors': rateEach('container_network_receive_errors_total'),
          'send errors': rateEach('container_network_transmit_errors_total'),
          'receive drops': rateEach('container_network_receive_packets_dropped_total'),
          'send drops': rateEach('container_network_transmit_packets_dropped_total'),
        }),
        { min: 0, thresholds: few },
      ),
      graph(
        'Disk traffic',
        'Bytes per second read and written.',
        'Bps',
        taskLines({ read: onDisks('reads_bytes_total'), written: onDisks('writes_bytes_total') }),
        { min: 0 },
      ),
      graph(
        'Disk requests',
        'Reads and writes completed per second.',
        'iops',
        taskLines({ reads: onDisks('reads_total'), writes: onDisks('writes_total') }),
        { min: 0 },
      ),
    ),
    limitsRow,
    pressureRow,
    disksRow,
  ],
};
