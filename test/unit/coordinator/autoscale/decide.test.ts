import { describe, expect, it } from 'vitest';
import { decide, type Situation } from '../../../../coordinator/autoscale/decide.ts';
import { noHistory, type ScaleHistory } from '../../../../coordinator/autoscale/pace.ts';
import type { AutoscalePolicy } from '../../../../coordinator/autoscale/policy.ts';
import type { LoadReading } from '../../../../model/scale-record.ts';
import { aPolicy } from '../../../support/autoscale.ts';

const told = (wanted: number): LoadReading => ({
  source: 'query',
  target: 10,
  value: wanted * 10,
  wanted,
  words: 'load',
});
const silent: LoadReading = { source: 'cpu', target: 60, words: 'cpu: nothing was heard' };

function situation(changes: Partial<Situation> = {}): Situation {
  return {
    policy: aPolicy(),
    current: 2,
    readings: [told(2)],
    heldForMs: 0,
    isUpdating: false,
    noRoom: undefined,
    ...changes,
  };
}

/** Counts decided on at each second, the load asking for `wanted` in turn. */
function follow(policy: AutoscalePolicy, wanted: readonly number[], first: number, periodMs = 1_000): number[] {
  let history: ScaleHistory = noHistory;
  let current = first;
  return wanted.map((count, index) => {
    const decided = decide(situation({ policy, current, readings: [told(count)] }), history, index * periodMs);
    history = decided.history;
    current = decided.decision.replicas;
    return current;
  });
}

describe('decide()', () => {
  it.each<[what: string, changes: Partial<Situation>, replicas: number, condition: string, reason: RegExp]>([
    ['follows the load up at once', { readings: [told(4)] }, 4, 'following', /4 replicas wanted/],
    ['takes the highest of several loads', { readings: [told(3), told(5)] }, 5, 'following', /5 replicas wanted/],
    ['goes up though one load cannot be told', { readings: [told(4), silent] }, 4, 'following', /4 replicas/],
    [
      'does not go down while one cannot be told',
      { readings: [told(1), silent] },
      2,
      'blind',
      /nothing was heard.*nothing is changed/,
    ],
    ['changes nothing when none can be told', { readings: [silent] }, 2, 'blind', /nothing is changed/],
    ['stops at max', { readings: [told(14)], current: 8 }, 10, 'at-max', /10 are the most allowed/],
    [
      'goes back below max at once, blind or not',
      { readings: [silent], current: 30 },
      10,
      'at-max',
      /more than the 10 allowed/,
    ],
    ['comes up to min at once', { policy: aPolicy({ min: '3' }), readings: [silent] }, 3, 'at-min', /fewer than the 3/],
    [
      'leaves what was set by hand alone',
      { heldForMs: 90_000, readings: [told(5)] },
      2,
      'held',
      /by hand: left alone for 1m30s/,
    ],
    [
      'is off while scaled to 0 by hand',
      { heldForMs: Number.POSITIVE_INFINITY, current: 0 },
      0,
      'held',
      /off until it is scaled up/,
    ],
    [
      'asks for no more while some wait for a node',
      { readings: [told(4)], noRoom: 'no room' },
      2,
      'no-room',
      /no room/,
    ],
    [
      'goes down though some wait for a node',
      { policy: aPolicy({ 'down-window': '0s' }), readings: [told(1)], noRoom: 'x' },
      1,
      'following',
      /1 replica/,
    ],
    [
      'takes none away during an update',
      { policy: aPolicy({ 'down-window': '0s' }), readings: [told(1)], isUpdating: true },
      2,
      'frozen',
      /during an update/,
    ],
    ['adds during an update', { readings: [told(3)], isUpdating: true }, 3, 'following', /3 replicas/],
    [
      'keeps what was wanted a while ago',
      { readings: [told(1)] },
      2,
      'pacing',
      /1 replica wanted; kept at 2, the highest count wanted within 5m$/,
    ],
    [
      'does not believe a spike yet',
      { policy: aPolicy({ 'up-window': '30s' }), readings: [told(5)] },
      2,
      'pacing',
      /5 replicas wanted; kept at 2, the lowest count wanted within 30s$/,
    ],
    [
      'goes up by steps',
      { policy: aPolicy({ 'up-steps': '1/30s' }), readings: [told(5)] },
      3,
      'pacing',
      /5 replicas wanted; steps or the cool-down allow no more yet$/,
    ],
    [
      'goes down by steps',
      { policy: aPolicy({ 'down-window': '0s', 'down-steps': '1/30s' }), current: 5, readings: [told(2)] },
      4,
      'pacing',
      /2 replicas wanted; steps or the cool-down allow no fewer yet$/,
    ],
  ])('%s', (_, changes, replicas, condition, reason) => {
    const { decision } = decide(situation(changes), noHistory, 1_000_000);
    expect(decision).toMatchObject({ replicas, condition, reason: expect.stringMatching(reason) });
  });

  it('doubles or adds four within 15 s, whichever is more', () => {
    const policy = aPolicy({ max: '40' });
    const counts = follow(
      policy,
      Array.from({ length: 40 }, () => 40),
      1,
    );
    expect(counts[0]).toBe(5);
    expect(counts[14]).toBe(5);
    expect(counts[15]).toBe(10);
    expect(counts[30]).toBe(20);
  });

  it('goes down once the highest count wanted has left the window, in one direction', () => {
    const policy = aPolicy({ 'down-window': '10s' });
    const counts = follow(policy, [6, ...Array.from({ length: 20 }, () => 1)], 6);
    expect(counts.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 6));
    expect(counts[10]).toBe(1);
    expect(new Set(counts.slice(10))).toEqual(new Set([1]));
  });

  it('goes down by steps where they say so', () => {
    const policy = aPolicy({ 'down-window': '0s', 'down-steps': '1/5s' });
    expect(
      follow(
        policy,
        Array.from({ length: 11 }, () => 1),
        4,
      ),
    ).toEqual([3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 1]);
  });

  it('waits between two changes in one direction, not in the other', () => {
    const policy = aPolicy({ 'up-cool-down': '5s', 'down-window': '0s' });
    expect(follow(policy, [3, 4, 4, 4, 4, 4, 2, 3], 2)).toEqual([3, 3, 3, 3, 3, 4, 2, 2]);
  });

  it('waits up-window long before it believes a spike', () => {
    const policy = aPolicy({ 'up-window': '3s' });
    expect(follow(policy, [2, 9, 2, 9, 9, 9, 9], 2)).toEqual([2, 2, 2, 2, 2, 6, 6]);
  });

  it('remembers no change of its own while it only advises', () => {
    const policy = aPolicy({ mode: 'advise' });
    const { decision, history } = decide(situation({ policy, readings: [told(4)] }), noHistory, 1_000);
    expect(decision.replicas).toBe(4);
    expect(history.changes).toEqual([]);
  });
});
