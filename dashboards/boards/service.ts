/** One service: its traffic, errors and times (RED), what its tasks use (USE), and what deploys did to them. */
import type { Board } from '../board.ts';
import { byTask, highestByTask, ofServices, rateOf } from '../containers.ts';
import {
  atLeast,
  countsGraph,
  few,
  graph,
  nameStat,
  none,
  plain,
  rising,
  row,
  shareGraph,
  stat,
  table,
} from '../panels.ts';
import { increase, inLastHour, max, of, orZero, rate, sum } from '../promql.ts';
import { placed, taskColumns } from '../tasks.ts';
import { instance, job, service as serviceVariable, stack } from '../variables.ts';

const mine = (metric: string, ...matchers: string[]) => of(metric, 'service="$service"', ...matchers);
const state = (metric: string, ...matchers: string[]) => max('service', mine(metric, ...matchers));
const happened = (labels: string, metric: string) => `${sum(labels, increase(mine(metric)))} > 0`;
/** Of the service's own page, where it is scraped (`plimsoll.scrape.port`): its job has the service's name. */
const own = (names: string) => `{__name__=~"${names}",job="$service"}`;
const columns = taskColumns(mine);
const quota = `sum(${ofServices('container_spec_cpu_quota')} / ${ofServices('container_spec_cpu_period')})`;

export const service: Board = {
  uid: 'plimsoll-service',
  title: 'Plimsoll / Service',
  description:
    'One service: its traffic, errors and times (RED), what its tasks use (USE), and what deploys did to them.',
  variables: [job, stack, serviceVariable, instance],
  marks: [
    {
      name: 'Deploys',
      expr: `1000 * ${state('plimsoll_service_updated_timestamp_seconds')}`,
      text: '{{service}} changed',
      color: 'blue',
    },
    {
      name: 'Scalings',
      expr: `1000 * ${state('plimsoll_autoscaler_decided_timestamp_seconds')}`,
      text: '{{service}} scaled itself',
      color: 'purple',
    },
  ],
  rows: [
    row(
      'Is it well?',
      stat('Wanted', 'Tasks wanted.', 'short', state('plimsoll_service_spec_replicas'), plain),
      stat(
        'Ready',
        'Tasks that run, healthy where there is a health check.',
        'short',
        state('plimsoll_service_status_replicas_ready'),
        atLeast(1),
      ),
      stat(
        'Missing',
        'Wanted and not available: "plim why SERVICE" says why.',
        'short',
        state('plimsoll_service_status_replicas_unavailable'),
        none,
      ),
      stat(
        'Restarts in the last hour',
        'Tasks started anew by their agent.',
        'short',
        orZero(sum('', inLastHour(mine('plimsoll_service_task_restarts_total')))),
        few,
      ),
      stat(
        'Changed',
        'When the service was last changed.',
        'dateTimeFromNow',
        `1000 * ${state('plimsoll_service_updated_timestamp_seconds')}`,
      ),
      nameStat('Image', 'What its tasks should run.', '{{image}}', max('image', mine('plimsoll_service_info'))),
    ),
    row(
      'Rate',
      graph(
        'Connections',
        'Connections begun to each task per second; of services that publish a port or are on a network.',
        'suffix: /s',
        { '{{service}}.{{slot}} on {{node}}': placed(rate(mine('plimsoll_task_connections_total'))) },
        { min: 0 },
      ),
      graph(
        'Who calls it',
        'Connections begun per second by the tasks of other services; (outside): by all other callers.',
        'suffix: /s',
        { '{{from}}': sum('from', rate(of('plimsoll_service_calls_total', 'to="$service"'))) },
        { min: 0 },
      ),
      graph(
        'Whom it calls',
        'Connections its tasks begin per second to other services.',
        'suffix: /s',
        { '{{to}}': sum('to', rate(of('plimsoll_service_calls_total', 'from="$service"'))) },
        { min: 0 },
      ),
      graph(
        'Received',
        'Bytes per second into each task.',
        'Bps',
        { '{{task}}': byTask(rateOf('container_network_receive_bytes_total')) },
        { min: 0 },
      ),
      graph(
        'Sent',
        'Bytes per second out of each task.',
        'Bps',
        { '{{task}}': byTask(rateOf('container_network_transmit_bytes_total')) },
        { min: 0 },
      ),
      graph(
        'Packets',
        'Packets per second of the whole service.',
        'pps',
        {
          in: `sum(${rateOf('container_network_receive_packets_total')})`,
          out: `sum(${rateOf('container_network_transmit_packets_total')})`,
        },
        { min: 0 },
      ),
      graph(
        'Requests, as the service counts them',
        'Of services that serve metrics themselves (plimsoll.scrape.port): every counter whose name ends in requests_total.',
        'suffix: /s',
        { '{{instance}} {{code}}': `sum by (instance, code) (rate(${own('.+_requests_total')}[$__rate_interval]))` },
        { min: 0 },
      ),
    ),
    row(
      'Errors',
      countsGraph('Restarts', 'Tasks started anew by their agent, by why the attempt before ended.', {
        '{{reason}}': happened('reason', 'plimsoll_service_task_restarts_total'),
      }),
      countsGraph('Killed for want of memory', 'Containers the kernel ended because their memory limit was reached.', {
        containers: sum('', increase(mine('plimsoll_service_oom_kills_total'))),
      }),
      graph(
        'Packets lost',
        'Packets per second that a task’s network device could not take or send.',
        'pps',
        {
          '{{task}} receive errors': byTask(rateOf('container_network_receive_errors_total')),
          '{{task}} send errors': byTask(rateOf('container_network_transmit_errors_total')),
          '{{task}} receive drops': byTask(rateOf('container_network_receive_packets_dropped_total')),
          '{{task}} send drops': byTask(rateOf('container_network_transmit_packets_dropped_total')),
        },
        { min: 0, thresholds: few },
      ),
    ),
    row(
      'Duration',
      graph(
        'Age of its containers',
        'Time since each container was started: a saw-tooth is a crash loop.',
        's',
        { '{{task}}': `time() - ${highestByTask(ofServices('container_start_time_seconds'))}` },
        { min: 0 },
      ),
      graph(
        'Requests, as the service times them',
        'Of services that serve a histogram whose name ends in request_duration_seconds: 95 of 100 requests were faster.',
        's',
        {
          '{{instance}}': `histogram_quantile(0.95, sum by (le, instance) (rate(${own('.+_request_duration_seconds_bucket')}[$__rate_interval])))`,
        },
        { min: 0 },
      ),
    ),
    row(
      'Tasks',
      graph(
        'Replicas',
        'Wanted, there, ready and available; with the bounds where the service scales itself.',
        'short',
        {
          wanted: state('plimsoll_service_spec_replicas'),
          'run or shall run': state('plimsoll_service_status_replicas'),
          ready: state('plimsoll_service_status_replicas_ready'),
          available: state('plimsoll_service_status_replicas_available'),
          'of the newest revision': state('plimsoll_service_status_replicas_updated'),
        },
        { steps: true, min: 0 },
      ),
      graph(
        'By state',
        'Tasks by the state of their current attempt.',
        'short',
        { '{{state}}': `count by (state) (max by (task, state) (${mine('plimsoll_task_status_state')}) == 1)` },
        { steps: true, stacked: true, min: 0 },
      ),
      table(
        'Tasks',
        'Where each task is and how it is.',
        ['service', 'slot', 'node'],
        [columns.ready, columns.restarts, columns.lastExit, columns.assigned, columns.started],
      ),
    ),
    row(
      'Processors and memory',
      graph(
        'Processors',
        'Cores each task uses, beside the limit of all together.',
        'suffix: cores',
        { '{{task}}': byTask(rateOf('container_cpu_usage_seconds_total')) },
        { min: 0 },
      ),
      shareGraph(
        'Held back',
        'Share of periods in which a task had used up its limit: the limit is too low, or the task is stuck.',
        {
          '{{task}}': `${byTask(rateOf('container_cpu_cfs_throttled_periods_total'))} / ${byTask(rateOf('container_cpu_cfs_periods_total'))}`,
        },
        { thresholds: rising(0.1, 0.25) },
      ),
      graph(
        'Memory',
        'Memory in use without file cache that can be dropped (working set).',
        'bytes',
        { '{{task}}': byTask(ofServices('container_memory_working_set_bytes')) },
        { min: 0 },
      ),
      shareGraph(
        'Memory beside its limit',
        'Share of its memory limit that a task uses: at 100 % the kernel ends it.',
        {
          '{{task}}': `${byTask(ofServices('container_memory_working_set_bytes'))} / (${byTask(ofServices('container_spec_memory_limit_bytes'))} > 0)`,
        },
        { thresholds: rising(0.8, 0.95) },
      ),
      shareGraph(
        'Processors beside their limit',
        'Share of its processor limit that the whole service uses.',
        { used: `sum(${rateOf('container_cpu_usage_seconds_total')}) / ${quota}` },
        { thresholds: rising(0.8, 0.95) },
      ),
      graph(
        'Disk',
        'Bytes per second the service reads and writes.',
        'Bps',
        {
          read: `sum(${rateOf('container_fs_reads_bytes_total')})`,
          written: `sum(${rateOf('container_fs_writes_bytes_total')})`,
        },
        { min: 0 },
      ),
    ),
  ],
};
