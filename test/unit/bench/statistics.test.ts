import { describe, expect, it } from 'vitest';
import { median, quantile, summaryOf } from '../../bench/statistics.ts';

describe('quantile()', () => {
  it('is the middle of an odd number of values, and between the middle two of an even one', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  it('interpolates between the neighbours', () => {
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
  });

  it('is not a number without values', () => {
    expect(median([])).toBeNaN();
  });
});

describe('summaryOf()', () => {
  it('keeps the extremes and how many there were', () => {
    expect(summaryOf([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9, samples: 3 });
  });
});
