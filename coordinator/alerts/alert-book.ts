/** Writes down what is heard of alerts, by compare-and-set: any coordinator may hear, several may hear the same. */
import type { Buckets } from '../../bus/buckets.ts';
import type { Bus, Entry } from '../../bus/bus.ts';
import type { AlertRecord } from '../../model/alert-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isConflict } from '../../runtime/errors.ts';
import { groupBy } from '../../runtime/group-by.ts';
import type { Log } from '../../runtime/log.ts';
import type { CoordinatorMetrics } from '../loops/coordinator-metrics.ts';
import { publishEvent } from '../loops/events.ts';
import { liveServicesByName } from '../store/live-services.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import { alertEvent } from './alert-event.ts';
import { alertPolicy } from './alert-policy.ts';
import { type AlertReport, type AlertRequest, requestOf } from './alert-report.ts';
import { hear, type Outcome, reconcile } from './alert-state.ts';
import type { AlertListing } from './alertmanager.ts';

const MAX_TRIES = 5;
/** Within this time Prometheus tells an Alertmanager that began anew of all that fires; each minute unless told otherwise. */
const HEARD_AGAIN_MS = 120_000;
/** Of what was ignored so many are named in an answer. */
const MAX_NAMED = 20;

export interface AlertBookParts {
  readonly buckets: Pick<Buckets, 'alerts'>;
  readonly bus: Pick<Bus, 'publishDurably'>;
  readonly store: Pick<Store, 'reached'>;
  readonly snapshot: () => Snapshot;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
}

/** What became of the alerts of a message. */
export interface Taken {
  readonly counts: Readonly<Record<string, number>>;
  /** The first that were ignored, with the reason. */
  readonly ignored: readonly { readonly alert: string; readonly reason: string }[];
}

interface Routed {
  readonly service: ServiceRecord;
  readonly request: AlertRequest;
}

type Ignored = { readonly alert: string; readonly outcome: string; readonly reason: string };

const outcomeWords: Readonly<Partial<Record<Outcome, string>>> = {
  old: 'it is known to be over, or began before what is known of it',
  future: 'it begins in the future: compare the clocks',
  full: 'too many alerts fire for this service',
};

export class AlertBook {
  private readonly parts: AlertBookParts;

  constructor(parts: AlertBookParts) {
    this.parts = parts;
  }

  /** Takes the alerts of one message. Throws only when something could not be written: then all may come again. */
  async take(reports: readonly AlertReport[]): Promise<Taken> {
    const services = new Map(liveServicesByName(this.parts.snapshot()).map((service) => [service.spec.Name, service]));
    const routed = reports.map((report) => routeOf(report, services));
    const ignored = routed.filter((each): each is Ignored => 'outcome' in each);
    const accepted = routed.filter((each): each is Routed => 'request' in each);
    for (const own of groupBy(accepted, ({ service }) => service.id).values()) {
      ignored.push(...(await this.hearFor(own)));
    }
    return takenOf(reports.length, ignored);
  }

  /** Makes what is known of each service what Alertmanager listed when it was asked. */
  async reconcile({ reports, startedAtMs }: AlertListing, askedAtMs: number): Promise<void> {
    const snapshot = this.parts.snapshot();
    const services = liveServicesByName(snapshot);
    const byName = new Map(services.map((service) => [service.spec.Name, service]));
    const routed = reports.map((report) => routeOf(report, byName)).filter((each) => 'request' in each);
    const listed = groupBy(routed, ({ service }) => service.id);
    const isUnreadable = (report: AlertReport) => typeof requestOf(report) === 'string';
    const unreadable = new Set(reports.filter(isUnreadable).map(({ fingerprint }) => fingerprint));
    for (const service of services) {
      const requests = (listed.get(service.id) ?? []).map(({ request }) => request);
      const known = snapshot.alerts.get(service.id);
      if (requests.length === 0 && known === undefined) continue;
      await this.change(service, (before, nowMs) => {
        const untold = new Set([...unreadable, ...fromBefore(before, startedAtMs, askedAtMs)]);
        return reconcile(before, requests, askedAtMs, nowMs, untold);
      });
    }
  }

  private async hearFor(routed: readonly Routed[]): Promise<Ignored[]> {
    const [first] = routed;
    if (first === undefined) return [];
    const requests = routed.map(({ request }) => request);
    let outcomes: readonly Outcome[] = [];
    await this.change(first.service, (before, nowMs) => {
      const heard = hear(before, requests, nowMs);
      ({ outcomes } = heard);
      return heard.record;
    });
    return outcomes.map((outcome, index) => {
      const alert = requests[index]?.report.name ?? '';
      return { alert, outcome, reason: outcomeWords[outcome] ?? '' };
    });
  }

  private async change(
    service: ServiceRecord,
    changed: (before: AlertRecord, nowMs: number) => AlertRecord,
  ): Promise<void> {
    const { buckets, store, snapshot, clock } = this.parts;
    let entry: Entry<AlertRecord> | undefined = snapshot().alerts.get(service.id);
    for (let tries = 1; ; tries += 1) {
      const before = entry?.value ?? { v: 1, serviceId: service.id, alerts: [], deeds: [] };
      const after = changed(before, clock.wallMs());
      if (after === before) return;
      try {
        await store.reached('alerts', await this.write(entry, after));
        this.tell(service, before, after);
        return;
      } catch (error) {
        if (!isConflict(error) || tries >= MAX_TRIES) throw error;
        entry = await buckets.alerts.get(service.id);
      }
    }
  }

  private write(entry: Entry<AlertRecord> | undefined, after: AlertRecord): Promise<number> {
    const { alerts } = this.parts.buckets;
    return entry ? alerts.update(after.serviceId, after, entry.revision) : alerts.create(after.serviceId, after);
  }

  /** Of what is new only: who repeats himself is not announced. */
  private tell(service: ServiceRecord, before: AlertRecord, after: AlertRecord): void {
    for (const state of after.alerts) {
      const known = before.alerts.find(({ fingerprint }) => fingerprint === state.fingerprint);
      const isKnown = known?.status === state.status && known.startsAtMs === state.startsAtMs;
      if (isKnown || (known === undefined && state.status === 'resolved')) continue;
      const reason = `alert ${state.name} ${state.status === 'firing' ? 'fires' : 'is over'}`;
      this.parts.log.info({ service: service.spec.Name, alert: state.name, status: state.status }, 'an alert changed');
      publishEvent(this.parts, alertEvent(service, state, state.status, reason, this.parts.clock.wallMs()));
    }
  }
}

/** Alerts an Alertmanager that began a moment ago may not have heard of again: that it does not list them tells nothing. */
function fromBefore({ alerts }: AlertRecord, startedAtMs: number, askedAtMs: number): string[] {
  if (askedAtMs - startedAtMs >= HEARD_AGAIN_MS) return [];
  return alerts.filter(({ heardAtMs }) => heardAtMs < startedAtMs).map(({ fingerprint }) => fingerprint);
}

function routeOf(report: AlertReport, services: ReadonlyMap<string, ServiceRecord>): Routed | Ignored {
  const request = requestOf(report);
  const ignored = (outcome: string, reason: string) => ({ alert: report.name, outcome, reason });
  if (typeof request === 'string') return ignored('unreadable', request);
  const service = services.get(request.service);
  if (service === undefined) return ignored('unknown-service', `there is no service ${request.service}`);
  if (alertPolicy(service.spec)?.actions.has(request.action)) return { service, request };
  return ignored('not-allowed', `the label plimsoll.alerts of ${request.service} does not allow ${request.action}`);
}

/** Alerts that were taken have an outcome too, and no reason. */
function takenOf(total: number, all: readonly Ignored[]): Taken {
  const counts: Record<string, number> = {};
  for (const { outcome } of all) counts[outcome] = (counts[outcome] ?? 0) + 1;
  const named = all.filter(({ reason }) => reason !== '').slice(0, MAX_NAMED);
  return { counts: { ...counts, total }, ignored: named.map(({ alert, reason }) => ({ alert, reason })) };
}
