import { describe, expect, it } from 'vitest';
import { reportsOfListing, reportsOfWebhook, requestOf } from '../../../../coordinator/alerts/alert-report.ts';
import { ALERT_BEGAN_MS, aNotifiedAlert, aReport, aWebhook } from '../../../support/alerts.ts';

describe("Alertmanager's webhook", () => {
  it('is read, fields of newer versions beside those that are needed', () => {
    const alert = aNotifiedAlert({ annotations: { plimsoll_replicas: '3.2' }, routeLabels: {} });
    expect(reportsOfWebhook(aWebhook([alert]))).toEqual([
      {
        fingerprint: 'a1',
        name: 'WebBusy',
        status: 'firing',
        startsAtMs: ALERT_BEGAN_MS,
        labels: { alertname: 'WebBusy', plimsoll_service: 'web', plimsoll_action: 'scale-up' },
        replicas: 4,
      },
    ]);
  });

  const refused: readonly [string, unknown, RegExp][] = [
    ['nothing', null, /^the body: /],
    ['a list', [], /^the body: /],
    ['another version', aWebhook([], { version: '3' }), /^version: /],
    ['no alerts', aWebhook([], { alerts: undefined }), /^alerts: /],
    ['no status', aWebhook([aNotifiedAlert({ status: 'pending' })]), /^alerts\.0\.status: /],
    ['no labels', aWebhook([aNotifiedAlert(), aNotifiedAlert({ labels: null })]), /^alerts\.1\.labels: /],
    ['labels that are no text', aWebhook([aNotifiedAlert({ labels: { a: 1 } })]), /^alerts\.0\.labels\.a: /],
    ['no time', aWebhook([aNotifiedAlert({ startsAt: 'yesterday' })]), /^alerts\.0\.startsAt: /],
    ['no fingerprint', aWebhook([aNotifiedAlert({ fingerprint: '../x' })]), /^alerts\.0\.fingerprint: /],
    ['a huge label', aWebhook([aNotifiedAlert({ labels: { a: 'x'.repeat(100_000) } })]), /^alerts\.0\.labels\.a: /],
    ['a hundred thousand alerts', aWebhook(Array.from({ length: 100_000 }, () => 1)), /^alerts: 100000 are too many/],
  ];
  it.each(refused)('%s is refused, naming the field', (_what, body, message) => {
    expect(() => reportsOfWebhook(body)).toThrow(message);
  });
});

it("the answer of Alertmanager's API is read: all it lists fires", () => {
  const { status: _, ...alert } = aNotifiedAlert({ updatedAt: '2026-01-01T00:00:05.123456789Z' });
  expect(reportsOfListing([{ ...alert, status: { state: 'active' }, receivers: [] }])).toMatchObject([
    { status: 'firing', updatedAtMs: ALERT_BEGAN_MS + 5_123 },
  ]);
  expect(() => reportsOfListing({ code: 500 })).toThrow(/the body/);
});

describe('what an alert asks for', () => {
  const labels = { plimsoll_service: 'web', plimsoll_action: 'freeze' };
  it('is in its labels', () => {
    expect(requestOf(aReport({ labels }))).toMatchObject({ service: 'web', action: 'freeze' });
  });

  it.each([
    [{ plimsoll_action: 'freeze' }, undefined, /plimsoll_service is missing/],
    [{ ...labels, plimsoll_action: 'reboot' }, undefined, /must be one of scale-up/],
    [labels, Number.NaN, /plimsoll_replicas is no count/],
  ])('%j with a count of %s asks for nothing', (given, replicas, why) => {
    expect(requestOf(aReport({ labels: given, replicas }))).toMatch(why);
  });

  it.each(['NaN', '+Inf', '-1', '1e9', '', '99999', 'many'])('a count of "%s" is none', (text) => {
    const [report] = reportsOfWebhook(aWebhook([aNotifiedAlert({ annotations: { plimsoll_replicas: text } })]));
    expect(report?.replicas).toBeNaN();
  });
});
