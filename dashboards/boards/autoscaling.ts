/** Services that scale themselves: load, target, what was decided, what there is, and what stood in the way. */
import type { Board, State } from '../board.ts';
import { column, countsGraph, few, graph, none, plain, row, shareGraph, stat, statesPanel, table } from '../panels.ts';
import { count, increase, max, of, orZero, rate, sum } from '../promql.ts';
import { job, scalingServices, stack } from '../variables.ts';

const chosen = (metric: string, ...matchers: string[]) =>
  of(metric, 'stack=~"$stack"', 'service=~"$service"', ...matchers);
const state = (metric: string, ...matchers: string[]) => max('service, stack', chosen(metric, ...matchers));
const scaling = (metric: string) => `${state(metric)} and ${state('plimsoll_autoscaler_max_replicas')}`;
const perSource = (metric: string) => max('service, source', chosen(metric));
const inCondition = (condition: string) =>
  orZero(count('', `${state('plimsoll_autoscaler_condition', `condition="${condition}"`)} == 1`));

/** What `plimsoll_autoscaler_condition` says of a service, numbered for a panel that shows words. */
const conditions: readonly (Omit<State, 'value'> & { readonly condition: string })[] = [
  { condition: 'following', word: 'following', color: 'green' },
  { condition: 'at-min', word: 'at min', color: 'green' },
  { condition: 'pacing', word: 'paced', color: 'blue' },
  { condition: 'frozen', word: 'frozen', color: 'purple' },
  { condition: 'held', word: 'held', color: 'purple' },
  { condition: 'at-max', word: 'at max', color: 'orange' },
  { condition: 'no-room', word: 'no room', color: 'red' },
  { condition: 'blind', word: 'blind', color: 'red' },
];
const conditionStates: readonly State[] = conditions.map(({ word, color }, value) => ({ value, word, color }));
const conditionNumber = conditions
  .map(
    ({ condition }, value) => `${value} * (${state('plimsoll_autoscaler_condition', `condition="${condition}"`)} == 1)`,
  )
  .join(' or ');

export const autoscaling: Board = {
  uid: 'plimsoll-autoscaling',
  title: 'Plimsoll / Autoscaling',
  description:
    'Services that scale themselves: load, target, what was decided, what there is, and what stood in the way.',
  variables: [job, stack, scalingServices],
  marks: [
    {
      name: 'Decisions',
      expr: `1000 * ${state('plimsoll_autoscaler_decided_timestamp_seconds')}`,
      text: '{{service}}: count changed',
      color: 'purple',
    },
  ],
  rows: [
    row(
      'Now',
      stat(
        'Services that scale themselves',
        'By labels plimsoll.autoscale.*',
        'short',
        orZero(count('', state('plimsoll_autoscaler_max_replicas'))),
        plain,
      ),
      stat(
        'At their most',
        'Services whose load asks for more than max allows: raise max, or add nodes.',
        'short',
        inCondition('at-max'),
        few,
      ),
      stat('Without room', 'Services whose next replica fits no node.', 'short', inCondition('no-room'), none),
      stat(
        'Blind',
        'Services whose load cannot be told: their count stays as it is.',
        'short',
        inCondition('blind'),
        none,
      ),
      stat('Frozen', 'Services not scaled down because an update is under way.', 'short', inCondition('frozen'), plain),
      stat('Held', 'Services left alone because their count was set by hand.', 'short', inCondition('held'), plain),
      table(
        'Services',
        '"plim autoscale show SERVICE" and "plim why SERVICE" tell the reason in a sentence.',
        ['service', 'stack'],
        [
          column('Min', 'short', state('plimsoll_autoscaler_min_replicas')),
          column('Max', 'short', state('plimsoll_autoscaler_max_replicas')),
          column('Load asks for', 'short', state('plimsoll_autoscaler_load_replicas')),
          column('Decided', 'short', state('plimsoll_autoscaler_desired_replicas')),
          column('Ready', 'short', scaling('plimsoll_service_status_replicas_ready')),
          column(
            'Last decision',
            'dateTimeFromNow',
            `1000 * ${state('plimsoll_autoscaler_decided_timestamp_seconds')}`,
          ),
        ],
      ),
    ),
    row(
      'Why',
      graph(
        'Load',
        'What each service scales by when it was last decided on, in the unit of its target.',
        'short',
        { '{{service}} {{source}}': perSource('plimsoll_autoscaler_load') },
        { min: 0 },
      ),
      shareGraph('Load beside its target', '100 % is just right: above, replicas are added; below, taken away.', {
        '{{service}} {{source}}': `${perSource('plimsoll_autoscaler_load')} / ${perSource('plimsoll_autoscaler_target')}`,
      }),
      graph(
        'Targets',
        'What the load should be, in its own unit.',
        'short',
        { '{{service}} {{source}}': perSource('plimsoll_autoscaler_target') },
        { min: 0 },
      ),
      statesPanel(
        'What stands in the way',
        'Why a service has not just what its load asks for: green means that nothing is in the way, paced that a window, steps or a cool-down hold it back.',
        { '{{service}}': conditionNumber },
        conditionStates,
      ),
    ),
    row(
      'What comes of it',
      graph(
        'Asked for and decided',
        'Replicas the load asks for, and what was decided after bounds and pace.',
        'short',
        {
          '{{service}} asked for': state('plimsoll_autoscaler_load_replicas'),
          '{{service}} decided': state('plimsoll_autoscaler_desired_replicas'),
        },
        { steps: true, min: 0 },
      ),
      graph(
        'Decided and there',
        'What was decided, and the tasks that are ready.',
        'short',
        {
          '{{service}} decided': state('plimsoll_autoscaler_desired_replicas'),
          '{{service}} ready': scaling('plimsoll_service_status_replicas_ready'),
        },
        { steps: true, min: 0 },
      ),
      graph(
        'Bounds',
        'Fewest and most replicas each service may scale itself to.',
        'short',
        {
          '{{service}} min': state('plimsoll_autoscaler_min_replicas'),
          '{{service}} max': state('plimsoll_autoscaler_max_replicas'),
        },
        { steps: true, min: 0 },
      ),
    ),
    row(
      'Alerts that act',
      graph(
        'Alerts that ask for something',
        'Alerts that ask something of a service and were not heard to be over, by what they ask.',
        'short',
        { '{{service}} {{action}}': max('service, action', of('plimsoll_alerts_firing')) },
        { steps: true, min: 0 },
      ),
      countsGraph('Restarts and rollbacks', 'Done for alerts, or refused.', {
        '{{action}} {{outcome}}': `${sum('action, outcome', increase(of('plimsoll_alerts_deeds_total')))} > 0`,
      }),
      graph(
        'Alerts received',
        'Per second, by what became of them: repeats change nothing.',
        'suffix: /s',
        { '{{outcome}}': sum('outcome', rate(of('plimsoll_alerts_received_total'))) },
        { min: 0 },
      ),
      countsGraph('Messages refused', 'Messages to /v1/alerts refused as a whole, by why.', {
        '{{reason}}': `${sum('reason', increase(of('plimsoll_alerts_refused_total')))} > 0`,
      }),
      graph(
        'Questions to Alertmanager',
        'Times it was asked which alerts fire, per second, by outcome.',
        'ops',
        { '{{outcome}}': sum('outcome', rate(of('plimsoll_alerts_syncs_total'))) },
        { min: 0 },
      ),
    ),
    row(
      'The autoscaler itself',
      graph(
        'Decisions',
        'Services looked at per second, by what was decided.',
        'ops',
        { '{{direction}}': sum('direction', rate(of('plimsoll_autoscaler_decisions_total'))) },
        { min: 0 },
      ),
      countsGraph('Failures', 'Decisions that could not be made or written, by code.', {
        '{{code}}': `${sum('code', increase(of('plimsoll_autoscaler_failures_total')))} > 0`,
      }),
      graph(
        'Questions to Prometheus',
        'Per second, by outcome: problem is no answer, or not one number.',
        'ops',
        {
          '{{outcome}}': sum('outcome', rate(of('plimsoll_autoscaler_prometheus_queries_total'))),
        },
        { min: 0 },
      ),
    ),
  ],
};
