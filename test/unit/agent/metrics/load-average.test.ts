import { describe, expect, it } from 'vitest';
import { nextLoad } from '../../../../agent/metrics/load-average.ts';

describe('nextLoad()', () => {
  it('begins with what is counted first', () => {
    expect(nextLoad(undefined, { atMs: 5, running: 2, uninterruptible: 1 }).running).toBe(2);
  });

  it('lets an older count fade by e every 10 s', () => {
    const load = nextLoad(
      { atMs: 0, running: 1, uninterruptible: 0 },
      { atMs: 10_000, running: 0, uninterruptible: 1 },
    );

    expect(load.running).toBeCloseTo(1 / Math.E);
    expect(load.uninterruptible).toBeCloseTo(1 - 1 / Math.E);
  });
});
