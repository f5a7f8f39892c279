/** Every metric the agent itself counts, with its help text. */
import { Counter, Gauge, Histogram } from 'prom-client';
import { counterOf, type Metrics } from '../runtime/metrics.ts';

export interface AgentMetrics {
  readonly taskFailures: Counter<'reason'>;
  readonly restarts: Counter<string>;
  readonly stepSeconds: Histogram<'step'>;
  readonly engineFailures: Counter<'code'>;
  readonly engineUp: Gauge<string>;
  readonly staleRecords: Counter<string>;
  readonly orphans: Gauge<string>;
  readonly statusRetries: Counter<string>;
  readonly diskFailures: Counter<string>;
  readonly ingressFailures: Counter<string>;
  readonly acknowledgementsMissing: Counter<string>;
  readonly networkWatchFailures: Counter<string>;
  readonly massStopsChecked: Counter<string>;
  readonly eventsLost: Counter<string>;
  readonly imagesRemoved: Counter<string>;
  readonly usageFailures: Counter<string>;
  readonly engineSessions: Gauge<string>;
  readonly probeFailures: Counter<'probe'>;
  readonly engineSessionsRefused: Counter<string>;
  readonly tasks: Gauge<'state'>;
}

const STEP_SECONDS = [0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 120];

export function agentMetrics(registry: Metrics): AgentMetrics {
  const count = (name: string, help: string) => counterOf(registry, name, help);
  return {
    ...failureMetrics(registry),
    restarts: count('plimsoll_agent_task_restarts_total', 'Attempts begun here after an earlier one ended.'),
    stepSeconds: new Histogram({
      name: 'plimsoll_agent_step_duration_seconds',
      help: 'How long the engine took for a step of a task, by step.',
      labelNames: ['step'],
      buckets: STEP_SECONDS,
      registers: [registry],
    }),
    engineUp: gauge(registry, 'plimsoll_engine_up', '1 while the container engine answers in time.'),
    staleRecords: count('plimsoll_agent_stale_records_total', 'Assignments refused: written under an old lease.'),
    orphans: gauge(registry, 'plimsoll_agent_orphans', 'Containers of this cluster without an assignment.'),
    statusRetries: count('plimsoll_agent_status_retries_total', 'Status reports that had to be sent again.'),
    diskFailures: count('plimsoll_agent_disk_failures_total', 'Times the state directory could not be written.'),
    ingressFailures: count('plimsoll_agent_ingress_failures_total', 'Times published ports could not be set.'),
    acknowledgementsMissing: count(
      'plimsoll_overlay_acknowledgements_missing_total',
      'Nodes that did not acknowledge in time that a task leaves.',
    ),
    networkWatchFailures: count(
      'plimsoll_agent_network_watch_failures_total',
      'Times this node could not look whether its networks work.',
    ),
    massStopsChecked: count('plimsoll_agent_mass_stops_checked_total', 'Times a stop of most tasks was checked first.'),
    usageFailures: count('plimsoll_agent_usage_failures_total', 'Times the usage of this node could not be read.'),
    engineSessions: gauge(
      registry,
      'plimsoll_agent_engine_sessions',
      'Sessions coordinators have open with the engine.',
    ),
    engineSessionsRefused: count(
      'plimsoll_agent_engine_sessions_refused_total',
      'Sessions refused because as many as may be were open.',
    ),
    eventsLost: count('plimsoll_agent_events_lost_total', 'Container events the bus did not take.'),
    imagesRemoved: count(
      'plimsoll_agent_images_removed_total',
      'Unused images removed because the disk was nearly full.',
    ),
    tasks: new Gauge({
      name: 'plimsoll_agent_tasks',
      help: 'Tasks on this node, by state of their current attempt.',
      labelNames: ['state'],
      registers: [registry],
    }),
  };
}

/** What fails, by reason. */
function failureMetrics(registry: Metrics): Pick<AgentMetrics, 'taskFailures' | 'engineFailures' | 'probeFailures'> {
  return {
    taskFailures: counterOf(
      registry,
      'plimsoll_task_failures_total',
      'Attempts of tasks that failed here, by reason.',
      ['reason'],
    ),
    engineFailures: counterOf(
      registry,
      'plimsoll_engine_failures_total',
      'Calls the engine did not serve, by error code.',
      ['code'],
    ),
    probeFailures: counterOf(
      registry,
      'plimsoll_agent_probe_failures_total',
      'Failed probes of containers, by probe: readiness or liveness.',
      ['probe'],
    ),
  };
}

function gauge(registry: Metrics, name: string, help: string): Gauge<string> {
  return new Gauge({ name, help, registers: [registry] });
}
