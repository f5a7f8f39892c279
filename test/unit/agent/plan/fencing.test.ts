import { describe, expect, it } from 'vitest';
import { highestEpoch, isStale, noteEpochs } from '../../../../agent/plan/fencing.ts';

describe('isStale()', () => {
  const starts = noteEpochs(new Map(), [
    { revision: 10, epoch: 4 },
    { revision: 20, epoch: 5 },
    { revision: 30, epoch: 5 },
  ]);

  it.each([
    ['an old record nobody rewrote', { revision: 12, epoch: 4 }, false],
    ['a record of the present leader', { revision: 31, epoch: 5 }, false],
    ["a former leader's late write", { revision: 21, epoch: 4 }, true],
    ['the first write of a new leader', { revision: 40, epoch: 6 }, false],
  ])('judges %s', (_, write, stale) => {
    expect(isStale(starts, write)).toBe(stale);
  });

  it('knows the highest epoch', () => {
    expect([highestEpoch(new Map()), highestEpoch(starts)]).toEqual([0, 5]);
  });
});
