/** What Alertmanager says of alerts, in its webhook (version 4) and in the answer of its API, made into one thing. Pure. */
import { z } from 'zod';
import { type AlertAction, alertActions } from '../../model/alert-record.ts';
import { PlimsollError } from '../../runtime/errors.ts';

/** More in one message than any group of one service's alerts holds. */
export const MAX_ALERTS = 1_000;
const MAX_TEXT = 1_024;
const MAX_REPLICAS = 10_000;
const REPLICAS_ANNOTATION = 'plimsoll_replicas';

const Text = z.string().max(MAX_TEXT);
const Alert = z.object({
  labels: z.record(Text, z.string().max(4 * MAX_TEXT)),
  annotations: z.record(Text, z.string().max(16 * MAX_TEXT)).optional(),
  startsAt: z.iso.datetime({ offset: true }),
  fingerprint: z.string().regex(/^[0-9a-f]{1,32}$/, 'must be hexadecimal digits'),
});
const NotifiedAlert = Alert.extend({
  status: z.enum(['firing', 'resolved']),
  endsAt: z.iso.datetime({ offset: true }).optional(),
});
const ListedAlert = Alert.extend({ updatedAt: z.iso.datetime({ offset: true }) });
/** Alerts are read one by one: their number is known before any of them is looked at. */
const Envelope = z.object({ version: z.literal('4'), alerts: z.array(z.unknown()) });

/** An alert somebody told of, not yet believed. */
export interface AlertReport {
  readonly fingerprint: string;
  readonly name: string;
  readonly status: 'firing' | 'resolved';
  readonly startsAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** What its annotation says; undefined without one, NaN for one that is no count of replicas. */
  readonly replicas: number | undefined;
  /** When it ended; only a message that it is over tells. */
  readonly endsAtMs?: number;
  /** When Alertmanager last heard of it; only its API tells. */
  readonly updatedAtMs?: number;
}

/** What of a report asks something of a service; else why nothing. */
export interface AlertRequest {
  readonly report: AlertReport;
  readonly service: string;
  readonly action: AlertAction;
}

/** The alerts of a webhook's body. Throws `invalid`, naming the field. */
export function reportsOfWebhook(body: unknown): AlertReport[] {
  const envelope = checked(Envelope, body, '');
  refuseTooMany(envelope.alerts.length);
  return envelope.alerts.map((alert, index) => reportOf(checked(NotifiedAlert, alert, `alerts.${index}`)));
}

/** The alerts of an answer of `/api/v2/alerts`, all of which fire. Throws `invalid`, naming the field. */
export function reportsOfListing(body: unknown): AlertReport[] {
  const listed = checked(z.array(z.unknown()), body, '');
  refuseTooMany(listed.length);
  return listed.map((each, index) => {
    const alert = checked(ListedAlert, each, String(index));
    return { ...reportOf({ ...alert, status: 'firing' }), updatedAtMs: Date.parse(alert.updatedAt) };
  });
}

/** Who is to do what for an alert; a sentence where its labels do not say so. */
export function requestOf(report: AlertReport): AlertRequest | string {
  const { plimsoll_service: service, plimsoll_action: wanted } = report.labels;
  if (service === undefined || service === '') return 'labels.plimsoll_service is missing: no service is named';
  const action = alertActions.find((known) => known === wanted);
  if (action === undefined) return `labels.plimsoll_action must be one of ${alertActions.join(', ')}`;
  if (Number.isNaN(report.replicas)) return `annotations.${REPLICAS_ANNOTATION} is no count of replicas`;
  return { report, service, action };
}

function reportOf(alert: z.infer<typeof NotifiedAlert>): AlertReport {
  const { labels, annotations = {}, status, fingerprint, startsAt, endsAt } = alert;
  const name = labels['alertname'] ?? fingerprint;
  const replicas = replicasOf(annotations[REPLICAS_ANNOTATION]);
  const ended = status === 'resolved' && endsAt !== undefined ? { endsAtMs: Date.parse(endsAt) } : {};
  return { fingerprint, name, status, startsAtMs: Date.parse(startsAt), ...ended, labels, replicas };
}

function replicasOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,9}(?:\.\d+)?$/.test(text.trim()) ? Math.ceil(Number(text)) : Number.NaN;
  return count <= MAX_REPLICAS ? count : Number.NaN;
}

function refuseTooMany(count: number): void {
  if (count <= MAX_ALERTS) return;
  throw new PlimsollError('invalid', `alerts: ${count} are too many for one message, ${MAX_ALERTS} are the most`);
}

function checked<T>(schema: z.ZodType<T>, value: unknown, at: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = [at, ...(issue?.path ?? []).map(String)].filter((part) => part !== '').join('.');
  throw new PlimsollError('invalid', `${path || 'the body'}: ${issue?.message ?? 'is not as Alertmanager sends it'}`);
}
