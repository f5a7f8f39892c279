/** The leader's loop of scaling: every two seconds it looks at each service that scales itself, decides, and writes what changed. */
import type { Buckets } from '../../bus/buckets.ts';
import type { Bus, Entry } from '../../bus/bus.ts';
import { effectiveReplicas, type LoadReading, type ScaleRecord } from '../../model/scale-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Poke, runLoop } from '../../runtime/loop.ts';
import { alertPolicy } from '../alerts/alert-policy.ts';
import { standingOf } from '../alerts/alert-state.ts';
import type { CoordinatorMetrics } from '../loops/coordinator-metrics.ts';
import { publishEvent } from '../loops/events.ts';
import { measuredTurn } from '../loops/measured-turn.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import type { UsageBook } from '../usage/usage-book.ts';
import { measureAlerts } from './alert-load.ts';
import type { AutoscaleMetrics } from './autoscale-metrics.ts';
import { CrewWatch } from './crew-watch.ts';
import { decide } from './decide.ts';
import { measureQuery, measureQueue, measureUsage, type Replica } from './measurement.ts';
import { noHistory, type ScaleHistory } from './pace.ts';
import { type AutoscalePolicy, autoscalePolicy } from './policy.ts';
import type { Prometheus } from './prometheus.ts';
import { QueryBook } from './query-book.ts';
import type { Queue, Queues } from './queues.ts';
import { scaleEvent } from './scale-event.ts';
import { heldUntil, isWorthWriting, newRecord } from './scale-writing.ts';

/** Nodes say as often what they use; what one has said is looked at this soon. */
const TIMES = { resyncMs: 1_500, minGapMs: 500, retryMs: 1_500 };
/** A new leader has heard of every node by then. */
const FIRST_LOOK_MS = 2_000;

export interface AutoscalerParts {
  readonly buckets: Pick<Buckets, 'fenced'>;
  readonly bus: Pick<Bus, 'publishDurably'>;
  readonly store: Pick<Store, 'snapshot' | 'isCurrent' | 'reached' | 'vanished'>;
  readonly usage: Pick<UsageBook, 'fresh' | 'onHeard'>;
  /** Undefined where none was named. */
  readonly prometheus: Prometheus | undefined;
  readonly queues: Queues | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
  readonly autoscaleMetrics: AutoscaleMetrics;
  readonly holdsLease: () => boolean;
}

interface ScalingService {
  readonly record: ServiceRecord;
  readonly policy: AutoscalePolicy;
  readonly scale: Entry<ScaleRecord> | undefined;
}

/** What a turn has found out of one service. */
interface Seen {
  readonly snapshot: Snapshot;
  readonly replicas: readonly Replica[];
  /** Why a replica waits for a node; undefined while none does. */
  readonly noRoom: string | undefined;
}

/** Scales during one term; made anew for each epoch. */
export class Autoscaler {
  private readonly parts: AutoscalerParts;
  private readonly epoch: number;
  private readonly crews = new CrewWatch();
  private readonly queries: QueryBook;
  private readonly lags: QueryBook;
  private readonly policies = new WeakMap<ServiceRecord, { readonly policy: AutoscalePolicy | undefined }>();
  private histories: Map<string, ScaleHistory> = new Map();

  constructor(parts: AutoscalerParts, epoch: number) {
    this.parts = parts;
    this.epoch = epoch;
    const { clock, prometheus, queues, autoscaleMetrics } = parts;
    this.queries = new QueryBook({
      clock,
      ask: prometheus && ((expression) => prometheus.query(expression)),
      absence: 'no Prometheus is named: start coordinators with --prometheus',
      onAnswer: (outcome) => autoscaleMetrics.queries.inc({ outcome }),
    });
    this.lags = new QueryBook({
      clock,
      ask: queues && ((question) => queues.lag(queueOf(question))),
      absence: 'no NATS is named: start coordinators with --nats-monitoring',
    });
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, usage } = this.parts;
    const poke = new Poke();
    const stopListening = usage.onHeard(() => {
      if (this.histories.size > 0) poke.poke();
    });
    const tick = () => measuredTurn(this.parts, 'autoscale', () => this.turn());
    const onError = (error: unknown) => {
      log.error({ error: messageOf(error) }, 'a turn of autoscaling failed, trying again');
    };
    await clock.sleep(FIRST_LOOK_MS, signal).catch(() => undefined);
    await runLoop({ tick, poke, times: TIMES, clock, onError }, signal).finally(stopListening);
  }

  /** Looks at every service once. What cannot be written is decided again at the next turn. */
  async turn(): Promise<void> {
    const { store, usage, clock } = this.parts;
    if (!store.isCurrent) return;
    const snapshot = store.snapshot();
    const scaling = this.scalingServices(snapshot);
    const ids = new Set(scaling.map(({ record }) => record.id));
    this.histories = new Map([...this.histories].filter(([id]) => ids.has(id)));
    this.queries.refresh(queriesOf(scaling));
    this.lags.refresh(queuesOf(scaling));
    const crews = this.crews.look(snapshot, usage.fresh(), ids, clock.elapsedMs());
    const pending = pendingReasons(snapshot, ids);
    for (const service of scaling) {
      const seen = { snapshot, replicas: crews.get(service.record.id) ?? [], noRoom: pending.get(service.record.id) };
      await this.attempt(service.record, () => this.scale(service, seen));
    }
    await this.forgetOthers(snapshot, ids);
  }

  private scalingServices({ services, scales }: Snapshot): ScalingService[] {
    return [...services.values()].flatMap(({ value: record }) => {
      const policy = this.policyOf(record);
      const isThere = policy !== undefined && record.removedAtMs === undefined;
      return isThere ? [{ record, policy, scale: scales.get(record.id) }] : [];
    });
  }

  private policyOf(record: ServiceRecord): AutoscalePolicy | undefined {
    const known = this.policies.get(record) ?? { policy: autoscalePolicy(record.spec) };
    this.policies.set(record, known);
    return known.policy;
  }

  private async scale(service: ScalingService, { snapshot, replicas, noRoom }: Seen): Promise<void> {
    const { record, policy, scale } = service;
    const { clock } = this.parts;
    const current = effectiveReplicas(record.spec, scale?.value);
    const heldUntilMs = heldUntil(record.spec, policy, scale?.value, clock.wallMs());
    const situation = {
      policy,
      current,
      readings: this.readings(service, current, replicas, snapshot),
      heldForMs: heldUntilMs - clock.wallMs(),
      isUpdating: isUpdating(snapshot, record.id),
      noRoom,
      frozenBy: freezing(record, snapshot, clock.wallMs()),
    };
    const { decision, history } = decide(situation, this.histories.get(record.id) ?? noHistory, clock.elapsedMs());
    this.parts.autoscaleMetrics.decisions.inc({ direction: directionOf(decision.replicas - current) });
    const next = newRecord({ ...service, ...situation, decision, heldUntilMs, nowMs: clock.wallMs() }, this.epoch);
    if (isWorthWriting(scale?.value, next)) await this.write(service, next, current);
    this.histories.set(record.id, history);
  }

  private readings(
    { record, policy, scale }: ScalingService,
    wanted: number,
    replicas: readonly Replica[],
    snapshot: Snapshot,
  ): LoadReading[] {
    const nowMs = this.parts.clock.wallMs();
    // A clock that was set back keeps nobody waiting until it has caught up.
    const sinceChangeMs = Math.abs(nowMs - (scale?.value.changedAtMs ?? Number.NEGATIVE_INFINITY));
    const alerts = snapshot.alerts.get(record.id)?.value.alerts ?? [];
    const crew = { wanted, replicas, warmUpMs: policy.warmUpMs, tolerance: policy.tolerance };
    return policy.targets.flatMap((target) => {
      switch (target.source) {
        case 'alert':
          return measureAlerts(target, { ...crew, alerts, sinceChangeMs, nowMs }) ?? [];
        case 'query':
          return measureQuery(target, this.queries.answer(target.query), crew);
        case 'nats':
          return measureQueue(target, this.lags.answer(questionOf(target)), crew);
        default:
          return measureUsage(target, crew);
      }
    });
  }

  private async write({ record, scale }: ScalingService, next: ScaleRecord, current: number): Promise<void> {
    const { buckets, store, clock, log, holdsLease } = this.parts;
    if (!holdsLease()) return;
    const { scales } = buckets.fenced({ epoch: this.epoch });
    const revision = scale
      ? await scales.update(record.id, next, scale.revision)
      : await scales.create(record.id, next);
    const { replicas, condition, reason, mode } = next;
    const event = scaleEvent(record, next, current, clock.wallMs());
    log.info({ service: record.spec.Name, from: current, to: replicas, condition, mode, reason }, 'autoscaling');
    publishEvent(this.parts, event);
    await store.reached('scales', revision);
  }

  /** A service that no longer scales itself has the count of its specification again. */
  private async forgetOthers({ services, scales }: Snapshot, ids: ReadonlySet<string>): Promise<void> {
    for (const [key, { value, revision }] of scales) {
      const record = services.get(value.serviceId)?.value;
      if (record === undefined || record.removedAtMs !== undefined || ids.has(value.serviceId)) continue;
      await this.attempt(record, () => this.forget(key, revision));
    }
  }

  private async forget(key: string, revision: number): Promise<void> {
    if (!this.parts.holdsLease()) return;
    await this.parts.buckets.fenced({ epoch: this.epoch }).scales.delete(key, revision);
    await this.parts.store.vanished('scales', key);
  }

  /** One service that cannot be scaled keeps no other from it. */
  private async attempt({ spec }: ServiceRecord, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.parts.autoscaleMetrics.failures.inc({ code: error instanceof PlimsollError ? error.code : 'internal' });
      this.parts.log.warn({ service: spec.Name, error: messageOf(error) }, 'could not scale a service, trying again');
    }
  }
}

function queriesOf(scaling: readonly ScalingService[]): ReadonlySet<string> {
  const targets = scaling.flatMap(({ policy }) => policy.targets);
  return new Set(targets.flatMap((target) => (target.source === 'query' ? [target.query] : [])));
}

function queuesOf(scaling: readonly ScalingService[]): ReadonlySet<string> {
  const targets = scaling.flatMap(({ policy }) => policy.targets);
  return new Set(targets.flatMap((target) => (target.source === 'nats' ? [questionOf(target)] : [])));
}

/** Names of streams and consumers have no blanks. */
function questionOf({ stream, consumer }: Queue): string {
  return `${stream} ${consumer}`;
}

function queueOf(question: string): Queue {
  const [stream = '', consumer = ''] = question.split(' ');
  return { stream, consumer };
}

function isUpdating({ rollouts }: Snapshot, serviceId: string): boolean {
  const state = rollouts.get(serviceId)?.value.state;
  return state === 'updating' || state === 'rollback_started';
}

/** The alert that fires for the count to stay as it is, or did when it was last heard of. */
function freezing({ id, spec }: ServiceRecord, { alerts }: Snapshot, nowMs: number): string | undefined {
  if (!alertPolicy(spec)?.actions.has('freeze')) return undefined;
  const states = alerts.get(id)?.value.alerts ?? [];
  return states.find((state) => state.action === 'freeze' && standingOf(state, nowMs) !== 'over')?.name;
}

/** Why a replica of each of these services waits for a node, by service. One walk over all slots: there may be 100,000. */
function pendingReasons({ slots }: Snapshot, serviceIds: ReadonlySet<string>): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  if (serviceIds.size === 0) return reasons;
  for (const { value } of slots.values()) {
    const { serviceId, pending } = value;
    if (pending && serviceIds.has(serviceId) && !reasons.has(serviceId)) reasons.set(serviceId, pending.reason);
  }
  return reasons;
}

function directionOf(by: number): 'up' | 'down' | 'none' {
  if (by === 0) return 'none';
  return by > 0 ? 'up' : 'down';
}
