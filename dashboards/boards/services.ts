/** All services beside each other: which is short of tasks, which uses most, which breaks. */
import type { Board } from '../board.ts';
import { byService, ofServices, rateOf } from '../containers.ts';
import { column, countsGraph, few, graph, none, plain, row, stat, table } from '../panels.ts';
import { count, increase, inLastHour, max, of, onNodes, orZero, quantile, rate, sum, top } from '../promql.ts';
import { instance, job, services as serviceVariable, stack } from '../variables.ts';

const chosen = (metric: string, ...matchers: string[]) =>
  of(metric, 'stack=~"$stack"', 'service=~"$service"', ...matchers);
/** Agents do not know of stacks. */
const chosenByAgents = (metric: string) => onNodes(metric, 'service=~"$service"');
const state = (metric: string, ...matchers: string[]) => max('service, stack', chosen(metric, ...matchers));
const happened = (labels: string, metric: string) => `${sum(labels, increase(chosen(metric)))} > 0`;
const most = (expr: string) => top(10, byService(expr));

export const services: Board = {
  uid: 'plimsoll-services',
  title: 'Plimsoll / Services',
  description: 'All services beside each other: which is short of tasks, which uses most, which breaks.',
  variables: [job, stack, serviceVariable, instance],
  marks: [],
  rows: [
    row(
      'Are they well?',
      stat('Services', 'Services chosen.', 'short', orZero(count('', state('plimsoll_service_info'))), plain),
      stat('Tasks wanted', 'By all services chosen.', 'short', sum('', state('plimsoll_service_spec_replicas')), plain),
      stat(
        'Tasks missing',
        'Wanted and not available.',
        'short',
        sum('', state('plimsoll_service_status_replicas_unavailable')),
        none,
      ),
      stat(
        'Updates under way',
        'Services with an update or rollback under way.',
        'short',
        orZero(
          count('', `${state('plimsoll_service_status_condition', 'condition="progressing"', 'status="true"')} == 1`),
        ),
        plain,
      ),
      stat(
        'Updates paused',
        'Services whose update paused: "docker service update SERVICE" goes on, "plim rollback" goes back.',
        'short',
        orZero(count('', `${state('plimsoll_service_spec_paused')} == 1`)),
        none,
      ),
      stat(
        'Not yet planned',
        'Services whose specification changed after the leader last planned from it: more than some seconds is too long.',
        'short',
        orZero(count('', `${state('plimsoll_service_spec_version')} != ${state('plimsoll_service_observed_version')}`)),
        few,
      ),
      table(
        'Services',
        'A service’s name leads to its own dashboard.',
        ['service', 'stack'],
        [
          column('Wanted', 'short', state('plimsoll_service_spec_replicas')),
          column('Ready', 'short', state('plimsoll_service_status_replicas_ready')),
          column('Missing', 'short', state('plimsoll_service_status_replicas_unavailable'), none),
          column('Of the newest revision', 'short', state('plimsoll_service_status_replicas_updated')),
          column('Revision', 'none', state('plimsoll_service_spec_revision')),
          column(
            'Restarts in the last hour',
            'short',
            sum('service, stack', inLastHour(chosen('plimsoll_service_task_restarts_total'))),
            few,
          ),
          column('Changed', 'dateTimeFromNow', `1000 * ${state('plimsoll_service_updated_timestamp_seconds')}`),
          column('Created', 'dateTimeFromNow', `1000 * ${state('plimsoll_service_created_timestamp_seconds')}`),
        ],
      ),
    ),
    row(
      'What they use',
      graph(
        'Processors',
        'Cores in use by each service: the ten with most.',
        'suffix: cores',
        { '{{service}}': most(rateOf('container_cpu_usage_seconds_total')) },
        { min: 0 },
      ),
      graph(
        'Memory',
        'Memory in use without file cache that can be dropped (working set): the ten services with most.',
        'bytes',
        { '{{service}}': most(ofServices('container_memory_working_set_bytes')) },
        { min: 0 },
      ),
      graph(
        'Network received',
        'Bytes per second into a service’s containers: the ten services with most.',
        'Bps',
        { '{{service}}': most(rateOf('container_network_receive_bytes_total')) },
        { min: 0 },
      ),
      graph(
        'Network sent',
        'Bytes per second out of a service’s containers: the ten services with most.',
        'Bps',
        { '{{service}}': most(rateOf('container_network_transmit_bytes_total')) },
        { min: 0 },
      ),
      graph(
        'Connections',
        'Connections begun per second to the tasks of each service: the ten services with most.',
        'suffix: /s',
        { '{{service}}': top(10, sum('service', rate(chosenByAgents('plimsoll_task_connections_total')))) },
        { min: 0 },
      ),
      graph(
        'Who calls whom',
        'Connections begun per second between services: the ten pairs with most.',
        'suffix: /s',
        { '{{from}} to {{to}}': top(10, sum('from, to', rate(of('plimsoll_service_calls_total')))) },
        { min: 0 },
      ),
    ),
    row(
      'What breaks',
      countsGraph('Restarts', 'Tasks started anew by their agent, by why the attempt before ended.', {
        '{{service}} ({{reason}})': happened('service, reason', 'plimsoll_service_task_restarts_total'),
      }),
      countsGraph('Killed for want of memory', 'Containers the kernel ended because their memory limit was reached.', {
        '{{service}} containers': happened('service', 'plimsoll_service_oom_kills_total'),
        '{{service}} processes': happened('service', 'plimsoll_agent_oom_kills_total'),
      }),
      graph(
        'Missing tasks',
        'Tasks wanted and not available, by service: only those that miss some.',
        'short',
        { '{{service}}': `${state('plimsoll_service_status_replicas_unavailable')} > 0` },
        { steps: true, min: 0, thresholds: none },
      ),
      graph(
        'Tasks that fit nowhere',
        'By what keeps most nodes from taking them.',
        'short',
        { '{{service}} ({{reason}})': max('service, stack, reason', chosen('plimsoll_service_tasks_pending')) },
        { steps: true, min: 0, thresholds: none },
      ),
      graph(
        'Updates',
        'State of the last update of each service that had one.',
        'short',
        { '{{service}} {{state}}': `${max('service, state', chosen('plimsoll_service_update_state'))} == 1` },
        { steps: true, min: 0 },
      ),
      graph(
        'Time of updates',
        'From the beginning of a roll-out or rollback until it was complete, 95 of 100: all services together.',
        's',
        { '{{outcome}}': quantile(0.95, 'plimsoll_rollout_duration_seconds', 'outcome') },
        { min: 0 },
      ),
    ),
  ],
};
