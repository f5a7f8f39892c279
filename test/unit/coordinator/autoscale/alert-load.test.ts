import { describe, expect, it } from 'vitest';
import { type AlertTarget, measureAlerts } from '../../../../coordinator/autoscale/alert-load.ts';
import type { AlertState } from '../../../../model/alert-record.ts';
import { ALERT_BEGAN_MS, anAlertState } from '../../../support/alerts.ts';

const NOW = ALERT_BEGAN_MS + 10_000;
const target: AlertTarget = {
  source: 'alert',
  adds: true,
  takesAway: false,
  step: { kind: 'percent', amount: 100 },
  everyMs: 30_000,
  least: 1,
  isOneOfSeveral: false,
};

function wanted(
  alerts: readonly AlertState[],
  changes: Partial<AlertTarget> = {},
  crew: { readonly wanted?: number; readonly ready?: number; readonly sinceChangeMs?: number } = {},
) {
  const { wanted: count = 2, ready = count, sinceChangeMs = Number.POSITIVE_INFINITY } = crew;
  const replicas = Array.from({ length: count }, (_, index) => ({ readyForMs: index < ready ? 60_000 : undefined }));
  const alerted = { wanted: count, replicas, warmUpMs: 0, tolerance: 0.1, alerts, sinceChangeMs, nowMs: NOW };
  const reading = measureAlerts({ ...target, ...changes }, alerted);
  return reading && { wanted: reading.wanted, words: reading.words };
}

const up = anAlertState();
const down = anAlertState({ fingerprint: 'd1', name: 'WebIdle', action: 'scale-down' });
const silent = { heardAtMs: NOW - 400_000 };

describe('an alert that asks for more', () => {
  it('asks for as many as it names, fewer than there are too', () => {
    expect(wanted([{ ...up, replicas: 7 }])).toEqual({ wanted: 7, words: 'alert WebBusy asks for 7' });
    expect(wanted([{ ...up, replicas: 1 }], {}, { wanted: 5 })?.wanted).toBe(1);
  });

  it('asks for a step where it names none, when the count has stood for a while and all are ready', () => {
    expect(wanted([up])?.wanted).toBe(4);
    expect(wanted([up], { step: { kind: 'replicas', amount: 1 } })?.wanted).toBe(3);
    expect(wanted([up], { step: { kind: 'percent', amount: 10 } }, { wanted: 0 })?.wanted).toBe(1);
    expect(wanted([up], {}, { sinceChangeMs: 29_000 })?.wanted).toBe(2);
    expect(wanted([up], {}, { sinceChangeMs: -86_400_000 })?.wanted).toBe(4);
    expect(wanted([up], {}, { ready: 1 })?.wanted).toBe(2);
  });

  it('is one with others: the highest counts', () => {
    expect(wanted([{ ...up, replicas: 3 }, up])?.wanted).toBe(4);
    expect(wanted([up, down], { takesAway: true })?.wanted).toBe(4);
  });

  it('that nobody speaks of any more can be told nothing by', () => {
    expect(wanted([{ ...up, ...silent }])).toEqual({
      wanted: undefined,
      words: 'alert WebBusy fired and was not heard of for 6m',
    });
  });

  it('does nothing where it may not', () => {
    expect(wanted([up], { adds: false, takesAway: true })?.wanted).toBe(2);
  });
});

describe('when none asks for more', () => {
  const over = { ...up, status: 'resolved' as const };
  it('the least will do, unless only an alert may take away', () => {
    expect(wanted([over])?.wanted).toBe(1);
    expect(wanted([over], { takesAway: true })?.wanted).toBe(2);
  });

  it('what else is measured decides', () => {
    expect(wanted([over], { isOneOfSeveral: true })).toBeUndefined();
    expect(wanted([over, down], { isOneOfSeveral: true, takesAway: true })).toBeUndefined();
  });

  it('an alert may ask for fewer: a step back', () => {
    expect(wanted([down], { takesAway: true }, { wanted: 4 })?.wanted).toBe(2);
    expect(wanted([down], { takesAway: true, step: { kind: 'replicas', amount: 1 } }, { wanted: 4 })?.wanted).toBe(3);
    expect(wanted([down], { takesAway: true }, { wanted: 4, sinceChangeMs: 1_000 })?.wanted).toBe(4);
  });
});
