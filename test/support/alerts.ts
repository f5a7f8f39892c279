/** Alerts as Alertmanager tells of them, and the parts of a coordinator that hear them. */
import type { Buckets } from '../../bus/buckets.ts';
import type { Bus } from '../../bus/bus.ts';
import { AlertBook } from '../../coordinator/alerts/alert-book.ts';
import type { AlertReport, AlertRequest } from '../../coordinator/alerts/alert-report.ts';
import { AlertToken } from '../../coordinator/alerts/alert-token.ts';
import { coordinatorMetrics } from '../../coordinator/loops/coordinator-metrics.ts';
import type { Store } from '../../coordinator/store/store.ts';
import type { AlertAction, AlertState } from '../../model/alert-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { testVault } from './wishes.ts';

/** When the alerts of tests begin: what FakeClock shows at first. */
export const ALERT_BEGAN_MS = Date.UTC(2026, 0, 1);

export function aReport(changes: Partial<AlertReport> & { readonly action?: string } = {}): AlertReport {
  const { action = 'scale-up', ...rest } = changes;
  return {
    fingerprint: 'a1',
    name: 'WebBusy',
    status: 'firing',
    startsAtMs: ALERT_BEGAN_MS,
    labels: { alertname: 'WebBusy', plimsoll_service: 'web', plimsoll_action: action },
    replicas: undefined,
    ...rest,
  };
}

export function aRequest(changes: Partial<AlertReport> = {}, action: AlertAction = 'scale-up'): AlertRequest {
  return { report: aReport({ ...changes, action }), service: 'web', action };
}

export function anAlertState(changes: Partial<AlertState> = {}): AlertState {
  return {
    fingerprint: 'a1',
    name: 'WebBusy',
    action: 'scale-up',
    status: 'firing',
    startsAtMs: ALERT_BEGAN_MS,
    changedAtMs: ALERT_BEGAN_MS,
    heardAtMs: ALERT_BEGAN_MS,
    ...changes,
  };
}

/** One alert of a webhook's body. */
export function aNotifiedAlert(changes: Readonly<Record<string, unknown>> = {}) {
  return {
    status: 'firing',
    labels: { alertname: 'WebBusy', plimsoll_service: 'web', plimsoll_action: 'scale-up' },
    annotations: {},
    startsAt: new Date(ALERT_BEGAN_MS).toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: '',
    fingerprint: 'a1',
    ...changes,
  };
}

/** A webhook's body, with the fields newer Alertmanagers add. */
export function aWebhook(alerts: readonly unknown[], changes: Readonly<Record<string, unknown>> = {}) {
  return {
    version: '4',
    groupKey: '{}:{alertname="WebBusy"}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'plimsoll',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager:9093',
    notification_reason: 'new',
    alerts,
    ...changes,
  };
}

/** What of a coordinator hears alerts, on a store. */
export function alertPartsOn(
  store: Store,
  { buckets, bus }: { readonly buckets: Buckets; readonly bus: Pick<Bus, 'publishDurably'> },
  clock: Clock,
): { readonly alertBook: AlertBook; readonly alertToken: AlertToken } {
  const log = createLog('test', 'silent');
  const metrics = coordinatorMetrics(createMetrics('test', '0'));
  const snapshot = () => store.snapshot();
  return {
    alertBook: new AlertBook({ buckets, bus, store, snapshot, clock, log, metrics }),
    alertToken: new AlertToken({ buckets, store, snapshot, vault: testVault }),
  };
}
