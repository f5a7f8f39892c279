import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlertRequest } from '../../../../coordinator/alerts/alert-report.ts';
import {
  hear,
  REMEMBERED_MS,
  reconcile,
  standingOf,
  withoutForgotten,
} from '../../../../coordinator/alerts/alert-state.ts';
import type { AlertRecord, AlertState } from '../../../../model/alert-record.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { ALERT_BEGAN_MS, anAlertState, aRequest } from '../../../support/alerts.ts';

const NOW = ALERT_BEGAN_MS + 60_000;
const empty: AlertRecord = { v: 1, serviceId: derivedId('service', 'web'), alerts: [], deeds: [] };
const knowing = (...alerts: AlertState[]): AlertRecord => ({ ...empty, alerts });

function heard(before: AlertRecord, request: AlertRequest, nowMs = NOW): readonly [AlertState | undefined, string] {
  const { record, outcomes } = hear(before, [request], nowMs);
  return [record.alerts.find(({ fingerprint }) => fingerprint === request.report.fingerprint), outcomes[0] ?? ''];
}

describe('what is heard of an alert', () => {
  const firing = knowing(anAlertState({ heardAtMs: NOW - 1_000 }));
  const over = knowing(anAlertState({ status: 'resolved', changedAtMs: NOW - 1_000, heardAtMs: NOW - 1_000 }));
  const later = ALERT_BEGAN_MS + 30_000;
  const cases: readonly [string, AlertRecord, AlertRequest, string, AlertState['status'] | undefined][] = [
    ['one that is new', empty, aRequest(), 'changed', 'firing'],
    ['one that is over and was never heard of', empty, aRequest({ status: 'resolved' }), 'repeated', 'resolved'],
    ['the same once more', firing, aRequest(), 'repeated', 'firing'],
    ['that it is over', firing, aRequest({ status: 'resolved' }), 'changed', 'resolved'],
    ['that it is over, again', over, aRequest({ status: 'resolved' }), 'repeated', 'resolved'],
    ['that it fires, late', over, aRequest(), 'old', 'resolved'],
    ['that it fires anew', over, aRequest({ startsAtMs: later }), 'changed', 'firing'],
    ['an episode before the known one', firing, aRequest({ startsAtMs: ALERT_BEGAN_MS - 1 }), 'old', 'firing'],
    [
      'the end of an episode before the known one',
      firing,
      aRequest({ status: 'resolved', startsAtMs: ALERT_BEGAN_MS - 1 }),
      'old',
      'firing',
    ],
    [
      'the end of an episode nobody told of',
      over,
      aRequest({ status: 'resolved', startsAtMs: later }),
      'changed',
      'resolved',
    ],
    ['one from the future', empty, aRequest({ startsAtMs: NOW + 3_600_000 }), 'future', undefined],
    ['one that began long ago', empty, aRequest({ startsAtMs: NOW - REMEMBERED_MS - 1 }), 'old', undefined],
    ['another count', firing, aRequest({ replicas: 5 }), 'changed', 'firing'],
  ];
  it.each(cases)('%s', (_what, before, request, outcome, status) => {
    const [state, said] = heard(before, request);
    expect({ status: state?.status, outcome: said }).toEqual({ status, outcome });
  });

  describe('one whose start moves back, as Alertmanager keeps the earliest of several Prometheus', () => {
    const earlier = ALERT_BEGAN_MS - 2_000;

    it('is heard of as before', () => {
      const [state, outcome] = heard(firing, aRequest({ startsAtMs: earlier }), NOW + 60_000);
      expect([state, outcome]).toMatchObject([{ startsAtMs: ALERT_BEGAN_MS, heardAtMs: NOW + 60_000 }, 'repeated']);
    });

    it('is ended by an end after the known start, by no earlier one', () => {
      const end = (endsAtMs: number) => aRequest({ status: 'resolved', startsAtMs: earlier, endsAtMs });
      expect(heard(firing, end(ALERT_BEGAN_MS + 5_000))).toMatchObject([{ status: 'resolved' }, 'changed']);
      expect(heard(firing, end(ALERT_BEGAN_MS - 1_000))).toMatchObject([{ status: 'firing' }, 'old']);
    });

    it('has its count from a listing', () => {
      const listed = aRequest({ startsAtMs: earlier, updatedAtMs: NOW, replicas: 3 });
      const { alerts } = reconcile(knowing(anAlertState({ replicas: 2 })), [listed], NOW, NOW);
      expect(alerts).toMatchObject([{ status: 'firing', startsAtMs: ALERT_BEGAN_MS, heardAtMs: NOW, replicas: 3 }]);
    });
  });

  it('a repeat is written down now and then only', () => {
    expect(hear(firing, [aRequest()], NOW).record).toBe(firing);
    const [state] = heard(firing, aRequest(), NOW + 60_000);
    expect(state?.heardAtMs).toBe(NOW + 60_000);
  });

  it('of two messages with counts the higher one stands, whichever comes last', () => {
    const [five] = heard(knowing(anAlertState({ replicas: 5, heardAtMs: NOW })), aRequest({ replicas: 3 }));
    expect(five?.replicas).toBe(5);
  });

  it('fifty fire for one service at the most; those that are over make room', () => {
    const many = Array.from({ length: 50 }, (_, index) => anAlertState({ fingerprint: `f${index}`, heardAtMs: NOW }));
    expect(heard(knowing(...many), aRequest())).toEqual([undefined, 'full']);
    const [first, ...others] = many as [AlertState, ...AlertState[]];
    const { record } = hear(knowing({ ...first, status: 'resolved' }, ...others), [aRequest()], NOW);
    expect(record.alerts.map(({ fingerprint }) => fingerprint)).toEqual([
      ...others.map(({ fingerprint }) => fingerprint),
      'a1',
    ]);
  });
});

describe('messages in any order, any number of times', () => {
  /** Three alerts, three episodes each, begun and ended: what Alertmanager could ever say of them. */
  const messages = fc.array(
    fc.record({
      fingerprint: fc.constantFrom('a1', 'b2', 'c3'),
      status: fc.constantFrom('firing' as const, 'resolved' as const),
      startsAtMs: fc.constantFrom(ALERT_BEGAN_MS, ALERT_BEGAN_MS + 10_000, ALERT_BEGAN_MS + 20_000),
      replicas: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const known = (order: readonly AlertRequest[]) =>
    order
      .reduce((record, request) => hear(record, [request], NOW).record, empty)
      .alerts.map(({ fingerprint, status, startsAtMs, replicas }) => ({ fingerprint, status, startsAtMs, replicas }))
      .toSorted((a, b) => a.fingerprint.localeCompare(b.fingerprint));

  it('lead to the same knowledge', () => {
    const withOrder = messages.chain((each) =>
      fc.tuple(fc.constant(each), fc.shuffledSubarray([...each, ...each], { minLength: 2 * each.length })),
    );
    fc.assert(
      fc.property(withOrder, ([each, shuffled]) => {
        const requests = (reports: typeof each) => reports.map((report) => aRequest(report));
        expect(known(requests(shuffled))).toEqual(known(requests(each)));
      }),
    );
  });

  it('change nothing once they are known', () => {
    fc.assert(
      fc.property(messages, (each) => {
        const requests = each.map((report) => aRequest(report));
        const { record } = hear(empty, requests, NOW);
        expect(hear(record, requests, NOW).record).toBe(record);
      }),
    );
  });
});

describe('a listing of what fires', () => {
  const askedAtMs = NOW;
  const listed = (changes = {}) => aRequest({ updatedAtMs: NOW - 1_000, ...changes });

  it('ends what it does not list: a lost message that it is over heals', () => {
    const record = reconcile(knowing(anAlertState()), [], askedAtMs, NOW + 100);
    expect(record.alerts).toMatchObject([{ status: 'resolved', changedAtMs: NOW + 100 }]);
  });

  it('does not end what it lists and nobody can read: a count that is +Inf', () => {
    const before = knowing(anAlertState({ replicas: 5 }));
    expect(reconcile(before, [], askedAtMs, NOW, new Set(['a1']))).toBe(before);
  });

  it('leaves alone what was told of while it was asked for', () => {
    const before = knowing(anAlertState({ heardAtMs: NOW - 500 }));
    expect(reconcile(before, [], askedAtMs, NOW + 100)).toBe(before);
  });

  it('brings what no message told of', () => {
    expect(reconcile(empty, [listed()], askedAtMs, NOW).alerts).toMatchObject([{ status: 'firing' }]);
  });

  it('has an alert fire again that was taken for over, if it was heard of since', () => {
    const before = knowing(anAlertState({ status: 'resolved', changedAtMs: NOW - 5_000 }));
    expect(reconcile(before, [listed()], askedAtMs, NOW).alerts).toMatchObject([{ status: 'firing' }]);
    const stale = listed({ updatedAtMs: NOW - 6_000 });
    expect(reconcile(before, [stale], askedAtMs, NOW)).toBe(before);
  });

  it('lowers a count: it is the newest word', () => {
    const before = knowing(anAlertState({ replicas: 5 }));
    expect(reconcile(before, [listed({ replicas: 3 })], askedAtMs, NOW).alerts).toMatchObject([{ replicas: 3 }]);
  });
});

describe('an alert nobody speaks of any more', () => {
  it('is acted on for five minutes, in doubt for an hour, then over', () => {
    const at = (afterMs: number) => standingOf(anAlertState(), ALERT_BEGAN_MS + afterMs);
    expect([at(299_000), at(300_000), at(3_599_000), at(3_600_000)]).toEqual(['firing', 'unheard', 'unheard', 'over']);
    expect(standingOf(anAlertState({ status: 'resolved' }), ALERT_BEGAN_MS)).toBe('over');
  });

  it('is forgotten after a day', () => {
    const record = knowing(anAlertState(), anAlertState({ fingerprint: 'b2', heardAtMs: ALERT_BEGAN_MS + 1 }));
    expect(withoutForgotten(record, ALERT_BEGAN_MS + REMEMBERED_MS - 1)).toBe(record);
    expect(withoutForgotten(record, ALERT_BEGAN_MS + REMEMBERED_MS).alerts).toMatchObject([{ fingerprint: 'b2' }]);
  });
});
