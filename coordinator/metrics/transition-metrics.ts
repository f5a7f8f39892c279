/** Puts what `Transitions` observes on the registry. Only the leader counts, so that a sum over coordinators is right. */
import { type Counter, Histogram } from 'prom-client';
import { containerLabels } from '../../model/labels.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import { counterOf, type Metrics } from '../../runtime/metrics.ts';
import type { Store, WatchedBucket } from '../store/store.ts';
import { type Observation, restartReasons, type ServiceName, Transitions } from './transitions.ts';

export interface TransitionMetricsParts {
  readonly registry: Metrics;
  readonly store: Store;
  readonly clock: Clock;
  readonly isLeading: () => boolean;
}

/** Measures every change of the store from now on. Returns the way to stop. */
export function measureTransitions(parts: TransitionMetricsParts): () => void {
  const measuring = new TransitionMetrics(parts);
  measuring.begin();
  return parts.store.onChange((bucket, keys) => measuring.take(bucket, keys));
}

class TransitionMetrics {
  private readonly parts: TransitionMetricsParts;
  private readonly series: TransitionSeries;
  private readonly transitions: Transitions;
  private readonly names = new Map<string, ServiceName>();

  constructor(parts: TransitionMetricsParts) {
    this.parts = parts;
    this.series = declareSeries(parts.registry);
    const { store } = parts;
    this.transitions = new Transitions({
      service: (id) => store.entry('services', id),
      scale: (id) => store.entry('scales', id),
      node: (id) => store.entry('nodes', id),
      slot: (key) => store.entry('slots', key),
      status: (key) => store.entry('statuses', key),
    });
  }

  /** What is there already is known, and not measured. */
  begin(): void {
    const { store } = this.parts;
    const { services, slots, tasks, rollouts } = store.snapshot();
    for (const id of services.keys()) this.followService(id);
    for (const [key, entry] of slots) this.transitions.onSlot(key, entry);
    for (const entry of tasks.values()) this.transitions.onTask(entry.key, entry);
    for (const [id, entry] of rollouts) this.transitions.onRollout(id, entry);
  }

  take(bucket: WatchedBucket | 'liveness', keys: readonly string[]): void {
    for (const key of keys) {
      const observed = this.observe(bucket, key);
      if (this.parts.isLeading()) for (const observation of observed) this.count(observation);
    }
  }

  private observe(bucket: WatchedBucket | 'liveness', key: string): Observation[] {
    const { store, clock } = this.parts;
    const nowMs = clock.elapsedMs();
    switch (bucket) {
      case 'tasks':
        return this.transitions.onTask(key, store.entry('tasks', key));
      case 'statuses':
        return this.transitions.onStatus(key, store.entry('statuses', key), nowMs);
      case 'rollouts':
        return this.transitions.onRollout(key, store.entry('rollouts', key));
      case 'slots':
        this.transitions.onSlot(key, store.entry('slots', key));
        return [];
      case 'services':
        this.followService(key);
        return [];
      case 'liveness':
        this.transitions.onNodeState(key, store.snapshot().liveness.get(key)?.state, nowMs);
        return [];
      default:
        return [];
    }
  }

  /** Series begin at 0, so that the first restart is seen as an increase, and end with their service. */
  private followService(id: string): void {
    const service = this.parts.store.entry('services', id)?.value;
    const known = this.names.get(id);
    if (service && !known) {
      const name = nameOf(service);
      this.names.set(id, name);
      for (const reason of restartReasons) this.series.restarts.inc({ ...name, reason }, 0);
      this.series.oomKills.inc({ ...name }, 0);
    } else if (!service && known) {
      this.names.delete(id);
      if ([...this.names.values()].some((name) => name.service === known.service)) return;
      for (const reason of restartReasons) this.series.restarts.remove({ ...known, reason });
      this.series.oomKills.remove({ ...known });
    }
  }

  private count(observation: Observation): void {
    const { series } = this;
    switch (observation.kind) {
      case 'scheduled':
        return series.scheduling.observe(observation.seconds);
      case 'started':
        return series.start.observe(observation.seconds);
      case 'failed-over':
        return series.failover.observe(observation.seconds);
      case 'rolled-out':
        return series.rollout.observe({ outcome: observation.outcome }, observation.seconds);
      case 'restarted':
        return series.restarts.inc({ ...observation.name, reason: observation.reason });
      case 'oom-killed':
        return series.oomKills.inc({ ...observation.name }, observation.count);
    }
  }
}

function nameOf({ spec }: ServiceRecord): ServiceName {
  return { service: spec.Name, stack: spec.Labels?.[containerLabels.stackNamespace] ?? '' };
}

interface TransitionSeries {
  readonly scheduling: Histogram;
  readonly start: Histogram;
  readonly failover: Histogram;
  readonly rollout: Histogram<'outcome'>;
  readonly restarts: Counter<'service' | 'stack' | 'reason'>;
  readonly oomKills: Counter<'service' | 'stack'>;
}

function declareSeries(registry: Metrics): TransitionSeries {
  const registers = [registry];
  return {
    scheduling: new Histogram({
      name: 'plimsoll_task_scheduling_duration_seconds',
      help: 'From the wish for a task, or since it fits no node, until it is assigned to one; counted by the leader.',
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    start: new Histogram({
      name: 'plimsoll_task_start_duration_seconds',
      help: 'From the order to run until the task runs, healthy where there is a health check; counted by the leader.',
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
      registers,
    }),
    failover: new Histogram({
      name: 'plimsoll_task_failover_duration_seconds',
      help: 'From the loss of a node until a task that stands in for one of its tasks runs; counted by the leader.',
      buckets: [0.25, 0.5, 1, 2, 3, 4, 5, 10, 20, 30, 60],
      registers,
    }),
    rollout: new Histogram({
      name: 'plimsoll_rollout_duration_seconds',
      help: 'From the beginning of a roll-out or rollback until it was complete; counted by the leader.',
      labelNames: ['outcome'],
      buckets: [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
      registers,
    }),
    restarts: counterOf(
      registry,
      'plimsoll_service_task_restarts_total',
      'Tasks of a service started anew by their agent, by why the attempt before ended; counted by the leader.',
      ['service', 'stack', 'reason'],
    ),
    oomKills: counterOf(
      registry,
      'plimsoll_service_oom_kills_total',
      'Containers of a service killed for lack of memory, those that are gone included; counted by the leader.',
      ['service', 'stack'],
    ),
  };
}
