/** Coordinators: who leads, whether loops turn, how long plans take, what the API is asked; and the processes themselves. */
import type { Board } from '../board.ts';
import {
  atLeast,
  column,
  countsGraph,
  few,
  foldedRow,
  graph,
  nameStat,
  none,
  plain,
  row,
  stat,
  table,
} from '../panels.ts';
import { increase, max, of, onNodes, quantile, quantiles, rate, sum } from '../promql.ts';
import { daemonHost, job } from '../variables.ts';

const some = (labels: string, metric: string) => `${sum(labels, increase(onNodes(metric)))} > 0`;
const perProcess = (metric: string) => max('job, instance', onNodes(metric));
const processRate = (metric: string) => sum('job, instance', rate(onNodes(metric)));

export const controlPlane: Board = {
  uid: 'plimsoll-control-plane',
  title: 'Plimsoll / Control plane',
  description:
    'Coordinators: who leads, whether loops turn, how long plans take, what the API is asked; and the processes themselves.',
  variables: [job, daemonHost],
  marks: [],
  rows: [
    row(
      'Is it well?',
      nameStat('Leader', 'The coordinator that plans and decides.', '{{node}}', max('node', of('plimsoll_leader'))),
      stat(
        'Leaders',
        'Coordinators that say they lead: more than one for longer than a scrape is a fault, none is a standstill.',
        'short',
        sum('', of('plimsoll_coordinator_leading')),
        atLeast(1),
      ),
      stat(
        'Lease',
        'Number of the current lease: grows with each change of leader.',
        'none',
        max('', of('plimsoll_leader_epoch')),
        plain,
      ),
      stat(
        'Coordinators up to date',
        'Coordinators whose copy of the state has no gap.',
        'short',
        sum('', of('plimsoll_coordinator_state_current')),
        atLeast(1),
      ),
      stat(
        'Damaged records',
        'Stored records nobody can read, kept and not acted on; "plim status" names them.',
        'short',
        max('', of('plimsoll_coordinator_damaged_records')),
        none,
      ),
      stat(
        'Slowest loop',
        '95 of 100 turns of the slowest control loop took less; pauses between turns do not count.',
        's',
        max('', quantile(0.95, 'plimsoll_coordinator_loop_duration_seconds', 'loop')),
        plain,
      ),
      table(
        'Coordinators and agents',
        'What runs where.',
        ['component', 'instance', 'version', 'node_version'],
        [
          column(
            'Runs',
            'bool_yes_no',
            max('component, instance, version, node_version', onNodes('plimsoll_build_info')),
          ),
        ],
      ),
    ),
    row(
      'Loops',
      graph(
        'Turns',
        'Turns of each control loop per second.',
        'ops',
        { '{{loop}}': sum('loop', rate(onNodes('plimsoll_coordinator_loop_runs_total'))) },
        { min: 0 },
      ),
      graph(
        'Time of a turn',
        '95 of 100 turns were faster, by loop.',
        's',
        { '{{loop}}': quantile(0.95, 'plimsoll_coordinator_loop_duration_seconds', 'loop') },
        { min: 0 },
      ),
      countsGraph('Turns that failed', 'By loop; the coordinator’s log says why.', {
        '{{loop}}': some('loop', 'plimsoll_coordinator_loop_errors_total'),
      }),
      graph(
        'Since the last good turn',
        'Time since the last turn of each loop came to its end. Loops that only repair what was missed pause for 30 s.',
        's',
        {
          '{{instance}} {{loop}}': max(
            'instance, loop',
            `time() - ${onNodes('plimsoll_coordinator_loop_last_success_timestamp_seconds')}`,
          ),
        },
        { min: 0 },
      ),
    ),
    row(
      'Plans',
      graph('Time to plan', 'Time to make a plan.', 's', quantiles('plimsoll_plan_duration_seconds'), { min: 0 }),
      graph(
        'Time to carry out',
        'From the first write of a plan until the coordinator’s copy of the state shows them all.',
        's',
        quantiles('plimsoll_plan_apply_duration_seconds'),
        { min: 0 },
      ),
      graph(
        'Actions',
        'What the leader did, per second, by kind.',
        'ops',
        { '{{kind}}': sum('kind', rate(onNodes('plimsoll_plan_actions_total'))) },
        { min: 0 },
      ),
      countsGraph('Actions that failed', 'They are planned again.', {
        '{{kind}} ({{code}})': some('kind, code', 'plimsoll_plan_action_failures_total'),
      }),
      countsGraph(
        'Plans not dared, and doubts',
        'Turns in which the leader did not plan, and times it asked the nodes first, by reason.',
        {
          'not planned: {{reason}}': some('reason', 'plimsoll_plan_skipped_total'),
          'asked first: {{reason}}': some('reason', 'plimsoll_leader_doubts_total'),
        },
      ),
      countsGraph('Events lost', 'Events that could not be stored: "plim events" and "plim why" lack them.', {
        '{{instance}}': sum('instance', increase(onNodes('plimsoll_event_publish_failures_total'))),
      }),
      graph(
        'Late by',
        'Seconds per second that the watch over nodes was late; taken off the silence of nodes.',
        's',
        { '{{instance}}': sum('instance', rate(onNodes('plimsoll_liveness_late_seconds_total'))) },
        { min: 0 },
      ),
    ),
    row(
      'API',
      graph(
        'Requests',
        'Per second, by API and status code.',
        'suffix: /s',
        { '{{api}} {{code}}': sum('api, code', rate(onNodes('plimsoll_api_requests_total'))) },
        { min: 0 },
      ),
      graph(
        'Refused and failed',
        'Requests answered with 4xx or 5xx, per second, by route.',
        'suffix: /s',
        {
          '{{method}} {{route}} {{code}}': `${sum('method, route, code', rate(onNodes('plimsoll_api_requests_total', 'code=~"[45].."')))} > 0`,
        },
        { min: 0, thresholds: few },
      ),
      graph(
        'Time of an answer',
        '95 of 100 answers to reads and writes were faster, by API; streams count until they end.',
        's',
        { '{{api}} {{method}}': quantile(0.95, 'plimsoll_api_request_duration_seconds', 'api, method') },
        { min: 0 },
      ),
    ),
    row(
      'Processes',
      graph(
        'Processors',
        'Cores each process uses.',
        'suffix: cores',
        { '{{job}} {{instance}}': processRate('process_cpu_seconds_total') },
        { min: 0 },
      ),
      graph(
        'Memory',
        'Resident memory of each process.',
        'bytes',
        { '{{job}} {{instance}}': perProcess('process_resident_memory_bytes') },
        { min: 0 },
      ),
      graph(
        'Late event loops',
        '99 of 100 turns of Node’s event loop were late by less: above 100 ms everything it does is late.',
        's',
        { '{{job}} {{instance}}': perProcess('nodejs_eventloop_lag_p99_seconds') },
        { min: 0, thresholds: few },
      ),
    ),
    foldedRow(
      'Processes in detail',
      graph(
        'Open files',
        'Open file descriptors of each process.',
        'short',
        { '{{job}} {{instance}}': perProcess('process_open_fds') },
        { min: 0 },
      ),
      graph(
        'Heap',
        'JavaScript heap in use and set aside.',
        'bytes',
        {
          '{{job}} {{instance}} in use': perProcess('nodejs_heap_size_used_bytes'),
          '{{job}} {{instance}} set aside': perProcess('nodejs_heap_size_total_bytes'),
        },
        { min: 0 },
      ),
      graph(
        'Garbage collection',
        'Seconds per second spent in it.',
        's',
        { '{{job}} {{instance}}': processRate('nodejs_gc_duration_seconds_sum') },
        { min: 0 },
      ),
      graph(
        'Time of a scrape',
        'How long each page took to be read.',
        's',
        { '{{job}} {{instance}}': perProcess('scrape_duration_seconds') },
        { min: 0 },
      ),
      graph(
        'Size of a page',
        'Series on each page.',
        'short',
        { '{{job}} {{instance}}': perProcess('scrape_samples_scraped') },
        { min: 0 },
      ),
    ),
  ],
};
