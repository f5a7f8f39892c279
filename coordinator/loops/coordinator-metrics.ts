/** What a coordinator counts of its own work; the cluster's state is in coordinator/metrics. */
import { Counter, Gauge, Histogram } from 'prom-client';
import { counterOf, type Metrics } from '../../runtime/metrics.ts';

const DURATION_BUCKETS_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2];

export interface CoordinatorMetrics {
  readonly actions: Counter<'kind'>;
  readonly actionFailures: Counter<'kind' | 'code'>;
  readonly planSeconds: Histogram;
  readonly applySeconds: Histogram;
  readonly loopRuns: Counter<'loop'>;
  readonly loopErrors: Counter<'loop'>;
  readonly loopSeconds: Histogram<'loop'>;
  readonly loopLastSuccess: Gauge<'loop'>;
  readonly skippedPlans: Counter<'reason'>;
  readonly doubts: Counter<'reason'>;
  readonly nodesLost: Counter;
  readonly probes: Counter<'outcome'>;
  readonly lateSeconds: Counter;
  readonly eventFailures: Counter;
  readonly leading: Gauge;
}

/** How the coordinator's copy of the cluster's state is, asked at each scrape. */
export function showStateHealth(
  registry: Metrics,
  store: { readonly isCurrent: boolean; damagedRecords(): readonly unknown[] },
): void {
  const damaged: Gauge = new Gauge({
    name: 'plimsoll_coordinator_damaged_records',
    help: 'Stored records nobody can read, kept and not acted on; plim status names them.',
    registers: [registry],
    collect: () => damaged.set(store.damagedRecords().length),
  });
  const gauge: Gauge = new Gauge({
    name: 'plimsoll_coordinator_state_current',
    help: "1 while this coordinator's copy of the cluster's state has no gap, else 0.",
    registers: [registry],
    collect: () => gauge.set(store.isCurrent ? 1 : 0),
  });
}

export function coordinatorMetrics(registry: Metrics): CoordinatorMetrics {
  const registers = [registry];
  const buckets = DURATION_BUCKETS_SECONDS;
  return {
    actions: counterOf(registry, 'plimsoll_plan_actions_total', 'Actions the leader carried out, by kind.', ['kind']),
    actionFailures: counterOf(
      registry,
      'plimsoll_plan_action_failures_total',
      'Actions that failed and are planned again.',
      ['kind', 'code'],
    ),
    planSeconds: new Histogram({
      name: 'plimsoll_plan_duration_seconds',
      help: 'Time to make a plan.',
      buckets,
      registers,
    }),
    applySeconds: new Histogram({
      name: 'plimsoll_plan_apply_duration_seconds',
      help: 'Time from the first write of a plan until the snapshot shows them all.',
      buckets,
      registers,
    }),
    ...loopMetrics(registry),
    skippedPlans: counterOf(
      registry,
      'plimsoll_plan_skipped_total',
      'Turns in which the leader did not dare to plan.',
      ['reason'],
    ),
    doubts: counterOf(
      registry,
      'plimsoll_leader_doubts_total',
      'Times the leader asked the nodes what they run before it filled empty slots.',
      ['reason'],
    ),
    nodesLost: counterOf(registry, 'plimsoll_node_losses_total', 'Nodes declared lost.'),
    probes: counterOf(registry, 'plimsoll_node_probes_total', 'Rounds of probes of silent nodes, by outcome.', [
      'outcome',
    ]),
    lateSeconds: counterOf(
      registry,
      'plimsoll_liveness_late_seconds_total',
      'Time the liveness watch was late, taken off the silence of nodes.',
    ),
    eventFailures: counterOf(registry, 'plimsoll_event_publish_failures_total', 'Events that could not be stored.'),
    leading: new Gauge({ name: 'plimsoll_coordinator_leading', help: '1 while this coordinator leads.', registers }),
  };
}

/** What every control loop counts of its turns. */
function loopMetrics(
  registry: Metrics,
): Pick<CoordinatorMetrics, 'loopRuns' | 'loopErrors' | 'loopSeconds' | 'loopLastSuccess'> {
  const registers = [registry];
  return {
    loopRuns: counterOf(registry, 'plimsoll_coordinator_loop_runs_total', 'Turns of a control loop.', ['loop']),
    loopErrors: counterOf(registry, 'plimsoll_coordinator_loop_errors_total', 'Turns of a control loop that failed.', [
      'loop',
    ]),
    loopSeconds: new Histogram({
      name: 'plimsoll_coordinator_loop_duration_seconds',
      help: 'Time a turn of a control loop takes.',
      labelNames: ['loop'],
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    }),
    loopLastSuccess: new Gauge({
      name: 'plimsoll_coordinator_loop_last_success_timestamp_seconds',
      help: 'When the last turn of a control loop came to its end.',
      labelNames: ['loop'],
      registers,
    }),
  };
}
