import { describe, expect, it } from 'vitest';
import { type AlertedService, planAlerts } from '../../../../coordinator/alerts/plan-alerts.ts';
import type { AlertDeed, AlertState } from '../../../../model/alert-record.ts';
import type { ServiceRecord } from '../../../../model/service-record.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { ALERT_BEGAN_MS, anAlertState } from '../../../support/alerts.ts';
import { aRollout, aService, aSpec } from '../../../support/snapshots.ts';

const NOW = ALERT_BEGAN_MS + 10_000;
const VERSION = 7;
const ALL = 'scale-up,restart,rollback,freeze';

function updated(name = 'web', labels: Readonly<Record<string, string>> = {}): ServiceRecord {
  const spec = aSpec({ Name: name, Labels: { 'plimsoll.alerts': ALL, ...labels } });
  const revisions = [1, 2].map((number) => ({
    number,
    taskTemplate: { ContainerSpec: { Image: `a:${number}` } },
    createdAtMs: 0,
  }));
  return aService({ spec, previousSpec: spec, revision: 2, revisions, change: 'update' });
}

function alerted(
  alerts: readonly AlertState[],
  changes: Partial<AlertedService> & { readonly deeds?: AlertDeed[] } = {},
): AlertedService {
  const service = 'service' in changes ? changes.service : updated();
  const { deeds = [] } = changes;
  const began = { startedAtMs: ALERT_BEGAN_MS - 60_000, state: 'completed' } as const;
  return {
    alerts: { v: 1, serviceId: service?.id ?? derivedId('gone'), alerts: [...alerts], deeds },
    service,
    version: VERSION,
    rollout: service && aRollout(service, began),
    ...('rollout' in changes ? { rollout: changes.rollout } : {}),
  };
}

const aDeed = (changes: Partial<AlertDeed> = {}): AlertDeed => ({
  fingerprint: 'a1',
  startsAtMs: ALERT_BEGAN_MS,
  action: 'restart',
  outcome: 'done',
  atMs: NOW - 1_000,
  version: 5,
  reason: 'alert WebBusy fires',
  ...changes,
});

const restart = anAlertState({ action: 'restart' });
const rollback = anAlertState({ action: 'rollback' });
const planned = (...services: AlertedService[]) => planAlerts(services, NOW);

describe('a restart', () => {
  it('is done once for each time the alert begins', () => {
    expect(planned(alerted([restart]))).toMatchObject([
      { kind: 'do', isBegun: false, deed: { action: 'restart', outcome: 'begun', version: VERSION } },
    ]);
    expect(planned(alerted([restart], { deeds: [aDeed()] }))).toEqual([]);
    const anew = { ...restart, startsAtMs: ALERT_BEGAN_MS + 5_000 };
    const longAgo = aDeed({ atMs: NOW - 700_000 });
    expect(planned(alerted([anew], { deeds: [longAgo] }))).toMatchObject([{ kind: 'do' }]);
  });

  it.each([
    ['over', { status: 'resolved' }],
    ['not heard of', { heardAtMs: NOW - 400_000 }],
  ] as const)('is not done for an alert that is %s', (_what, changes) => {
    expect(planned(alerted([{ ...restart, ...changes }]))).toEqual([]);
  });

  it('is refused for an alert that began before the service was created', () => {
    const service = { ...updated(), createdAtMs: ALERT_BEGAN_MS + 1 };
    expect(planned(alerted([restart], { service }))).toMatchObject([
      { kind: 'note', deed: { outcome: 'refused', reason: 'the alert began before the service was created' } },
    ]);
  });

  it('is not done where the service does not allow it any more', () => {
    const service = updated('web', { 'plimsoll.alerts': 'scale-up' });
    expect(planned(alerted([restart], { service }))).toEqual([]);
  });

  it('waits for an update, a freeze and the cool-down', () => {
    const rollout = aRollout(updated(), { state: 'updating' });
    const frozen = anAlertState({ fingerprint: 'f1', name: 'Hands', action: 'freeze' });
    const recent = aDeed({ fingerprint: 'b2' });
    expect(planned(alerted([restart], { rollout }))).toMatchObject(
      [{ kind: 'wait', reason: /update/ }].map(reasonLike),
    );
    expect(planned(alerted([restart, frozen]))).toMatchObject([reasonLike({ kind: 'wait', reason: /Hands freezes/ })]);
    expect(planned(alerted([restart], { deeds: [recent] }))).toMatchObject([
      reasonLike({ kind: 'wait', reason: /less than 10m ago/ }),
    ]);
  });

  it('is done for five services in a minute at the most', () => {
    const services = Array.from({ length: 8 }, (_, index) => alerted([restart], { service: updated(`web${index}`) }));
    const kinds = planned(...services).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'do')).toHaveLength(5);
    expect(kinds.filter((kind) => kind === 'wait')).toHaveLength(3);
  });

  it('that was begun is done from the version it was begun at, or was done', () => {
    const begun = aDeed({ outcome: 'begun', version: VERSION });
    expect(planned(alerted([restart], { deeds: [begun] }))).toMatchObject([{ kind: 'do', isBegun: true, deed: begun }]);
    const over = { ...restart, status: 'resolved' } as const;
    expect(planned(alerted([over], { deeds: [begun] }))).toMatchObject([
      { kind: 'note', deed: { outcome: 'refused', reason: 'the alert was over before it could be done' } },
    ]);
    const changed = aDeed({ outcome: 'begun', version: VERSION - 1 });
    expect(planned(alerted([restart], { deeds: [changed] }))).toMatchObject([
      { kind: 'note', deed: { outcome: 'done' } },
    ]);
  });
});

describe('a rollback', () => {
  it('undoes an update the alert followed', () => {
    expect(planned(alerted([rollback]))).toMatchObject([{ kind: 'do', deed: { action: 'rollback' } }]);
  });

  it('comes before a restart, after which it would be refused', () => {
    const failing = { ...rollback, fingerprint: 'b2' };
    expect(planned(alerted([restart, failing]))).toMatchObject([{ kind: 'do', deed: { action: 'rollback' } }]);
  });

  const earlier = updated();
  it.each([
    ['of a rollback', { service: { ...updated(), change: 'rollback' as const } }, /was a rollback/],
    ['without an earlier revision', { service: aService({ spec: earlier.spec }) }, /no earlier revision/],
    ['without an update', { rollout: undefined }, /no update/],
    [
      'for an alert that began before the update',
      { rollout: aRollout(earlier, { startedAtMs: ALERT_BEGAN_MS + 1, state: 'completed' }) },
      /began before the update to revision 2/,
    ],
    [
      'of an update that is long done',
      { rollout: aRollout(earlier, { startedAtMs: ALERT_BEGAN_MS - 3_700_000, state: 'completed' }) },
      /more than 1h after/,
    ],
  ])('%s is refused, once', (_what, changes, reason) => {
    const [step] = planned(alerted([rollback], changes));
    expect(step).toMatchObject(reasonLike({ kind: 'note', reason }));
  });
});

it('knowledge of services that are gone, or let alerts do nothing, is forgotten', () => {
  const silent = updated('web', { 'plimsoll.alerts': '' });
  const gone = { kind: 'forget' };
  expect(planned(alerted([restart], { service: undefined }))).toMatchObject([gone]);
  expect(planned(alerted([restart], { service: silent }))).toMatchObject([gone]);
  expect(planned(alerted([]))).toMatchObject([gone]);
});

function reasonLike<T extends { readonly reason: RegExp }>(step: T) {
  return { ...step, reason: expect.stringMatching(step.reason) };
}
