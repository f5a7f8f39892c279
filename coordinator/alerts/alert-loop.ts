/** The leader's loop of alerts: it asks Alertmanager which ones fire, and restarts and rolls back what they ask for, once. */
import type { Buckets } from '../../bus/buckets.ts';
import type { Bus } from '../../bus/bus.ts';
import type { AlertDeed, AlertRecord } from '../../model/alert-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isConflict, messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { ToldSeldom } from '../../runtime/told-seldom.ts';
import type { CoordinatorMetrics } from '../loops/coordinator-metrics.ts';
import { publishEvent } from '../loops/events.ts';
import { measuredTurn } from '../loops/measured-turn.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import type { Wishes } from '../wishes/wishes.ts';
import type { AlertBook } from './alert-book.ts';
import { alertEvent } from './alert-event.ts';
import type { AlertMetrics } from './alert-metrics.ts';
import type { Alertmanager } from './alertmanager.ts';
import { lastUpdate } from './last-update.ts';
import { type AlertedService, type AlertStep, planAlerts } from './plan-alerts.ts';

const PERIOD_MS = 2_000;
const SYNC_EVERY_MS = 2_000;
/** Of one service's alerts as they were before; one that comes and goes makes one each time. */
const MAX_PAST_DEEDS = 50;

export interface AlertLoopParts {
  readonly buckets: Pick<Buckets, 'alerts'>;
  readonly bus: Pick<Bus, 'publishDurably'>;
  readonly store: Pick<Store, 'snapshot' | 'isCurrent' | 'reached' | 'vanished'>;
  readonly wishes: { readonly services: Pick<Wishes['services'], 'update' | 'undoUpdate' | 'rollbackTo'> };
  readonly alertBook: Pick<AlertBook, 'reconcile'>;
  /** Undefined where none was named. */
  readonly alertmanager: Alertmanager | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
  readonly alertMetrics: AlertMetrics;
  readonly holdsLease: () => boolean;
}

type Doing = Extract<AlertStep, { kind: 'do' }>;

/** Acts during one term; made anew for each. */
export class AlertLoop {
  private readonly parts: AlertLoopParts;
  private readonly seldom: ToldSeldom;

  constructor(parts: AlertLoopParts) {
    this.parts = parts;
    this.seldom = new ToldSeldom(parts.clock);
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.every(PERIOD_MS, () => measuredTurn(this.parts, 'alerts', () => this.turn()), signal),
      this.every(SYNC_EVERY_MS, () => this.sync(), signal),
    ]);
  }

  /**
   * Looks at every service alerts have asked something of. What cannot be done is planned again at the next turn, and keeps
   * no other service from its own; then throws the first reason.
   */
  async turn(): Promise<void> {
    const { store, clock } = this.parts;
    if (!store.isCurrent) return;
    const steps = planAlerts(alertedServices(store.snapshot()), clock.wallMs());
    const failures: unknown[] = [];
    for (const step of steps) {
      if (!this.parts.holdsLease()) return;
      await this.apply(step).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Has what is known of alerts be what Alertmanager says; while it says nothing, nothing is changed. */
  async sync(): Promise<void> {
    const { alertmanager, alertBook, store, clock, alertMetrics, log } = this.parts;
    if (alertmanager === undefined || !store.isCurrent || !this.parts.holdsLease()) return;
    const askedAtMs = clock.wallMs();
    try {
      await alertBook.reconcile(await alertmanager.firing(), askedAtMs);
      alertMetrics.syncs.inc({ outcome: 'answer' });
    } catch (error) {
      alertMetrics.syncs.inc({ outcome: 'problem' });
      this.seldom.event('sync', (untold) => log.warn({ error: messageOf(error), untold }, 'alerts cannot be compared'));
    }
  }

  private async every(periodMs: number, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.parts.clock.sleep(periodMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await work().catch((error: unknown) => {
        this.parts.log.error({ error: messageOf(error) }, 'a turn of alerts failed, trying again');
      });
    }
  }

  private async apply(step: AlertStep): Promise<void> {
    switch (step.kind) {
      case 'wait':
        return;
      case 'do':
        return this.do(step);
      case 'note':
        return this.end(step, step.deed);
      case 'put':
        return this.put(step.serviceId, () => step.record);
      case 'forget':
        return this.forget(step.serviceId);
    }
  }

  private async do(step: Doing): Promise<void> {
    const { serviceId, deed, isBegun } = step;
    if (!isBegun) await this.put(serviceId, (record) => withDeed(record, deed));
    try {
      await this.change(serviceId, deed);
    } catch (error) {
      if (isTransient(error)) throw error;
      const isStale = isConflict(error);
      if (isStale) return this.put(serviceId, (record) => withoutDeed(record, deed));
      return this.end(step, { ...deed, outcome: 'refused', reason: messageOf(error) });
    }
    await this.end(step, { ...deed, outcome: 'done' });
  }

  /** As `docker service update --force` and `docker service rollback` do. */
  private async change(serviceId: string, { action, version }: AlertDeed): Promise<void> {
    const { services } = this.parts.wishes;
    if (action === 'rollback') return this.rollBack(serviceId, version);
    const spec = this.service(serviceId)?.spec;
    if (spec === undefined) return;
    const { TaskTemplate: template } = spec;
    const restarted = { ...spec, TaskTemplate: { ...template, ForceUpdate: (template.ForceUpdate ?? 0) + 1 } };
    await services.update(serviceId, restarted, version);
  }

  /** Past restarts, to what ran before. */
  private async rollBack(serviceId: string, version: number): Promise<void> {
    const { services } = this.parts.wishes;
    const { services: records, rollouts } = this.parts.store.snapshot();
    const [service, rollout] = [records.get(serviceId)?.value, rollouts.get(serviceId)?.value];
    const update = service && rollout && lastUpdate(service, rollout);
    if (update?.isRestarted) await services.rollbackTo(serviceId, update.before, version);
    else await services.undoUpdate(serviceId, version);
  }

  private async end(
    { serviceId, alert }: Doing | Extract<AlertStep, { kind: 'note' }>,
    deed: AlertDeed,
  ): Promise<void> {
    await this.put(serviceId, (record) => withDeed(record, deed));
    const { action, outcome, reason } = deed;
    this.parts.alertMetrics.deeds.inc({ action, outcome });
    const service = this.service(serviceId);
    if (service === undefined) return;
    this.parts.log.info(
      { service: service.spec.Name, alert: alert.name, action, outcome, reason },
      'acted on an alert',
    );
    publishEvent(this.parts, alertEvent(service, alert, outcome, reason, this.parts.clock.wallMs()));
  }

  private async put(serviceId: string, changed: (record: AlertRecord) => AlertRecord): Promise<void> {
    const { buckets, store } = this.parts;
    const entry = store.snapshot().alerts.get(serviceId);
    if (entry === undefined) return;
    await store.reached('alerts', await buckets.alerts.update(serviceId, changed(entry.value), entry.revision));
  }

  private async forget(serviceId: string): Promise<void> {
    const { buckets, store } = this.parts;
    const entry = store.snapshot().alerts.get(serviceId);
    if (entry === undefined) return;
    await buckets.alerts.delete(serviceId, entry.revision);
    await store.vanished('alerts', serviceId);
  }

  private service(serviceId: string): ServiceRecord | undefined {
    return this.parts.store.snapshot().services.get(serviceId)?.value;
  }
}

/** Services alerts are known of, whether they are there still or not. */
export function alertedServices({ alerts, services, rollouts }: Snapshot): AlertedService[] {
  return [...alerts.values()].map(({ value }) => {
    const service = services.get(value.serviceId);
    const rollout = rollouts.get(value.serviceId)?.value;
    return { alerts: value, service: service?.value, version: service?.revision ?? 0, rollout };
  });
}

/** What was done about an alert as it is now is never forgotten for others: it would be done again. */
function withDeed(record: AlertRecord, deed: AlertDeed): AlertRecord {
  const all = [...withoutDeed(record, deed).deeds, deed];
  const isPresent = ({ fingerprint, startsAtMs }: AlertDeed) =>
    record.alerts.some((alert) => alert.fingerprint === fingerprint && alert.startsAtMs === startsAtMs);
  const kept = new Set(all.filter((each) => !isPresent(each)).slice(-MAX_PAST_DEEDS));
  return { ...record, deeds: all.filter((each) => isPresent(each) || kept.has(each)) };
}

function withoutDeed(record: AlertRecord, { fingerprint, startsAtMs }: AlertDeed): AlertRecord {
  const isOther = (deed: AlertDeed) => deed.fingerprint !== fingerprint || deed.startsAtMs !== startsAtMs;
  return { ...record, deeds: record.deeds.filter(isOther) };
}

/** Nobody knows whether it was written: the version tells, at the next turn. */
function isTransient(error: unknown): boolean {
  return !(error instanceof PlimsollError) || ['unavailable', 'timeout', 'internal'].includes(error.code);
}
