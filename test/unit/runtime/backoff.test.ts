import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, withJitter } from '../../../runtime/backoff.ts';

const rule = { firstMs: 100, maxMs: 30_000 };

describe('backoffMs()', () => {
  it.each([
    [0, 0],
    [1, 100],
    [2, 200],
    [5, 1_600],
    [9, 25_600],
    [10, 30_000],
    [1_000_000, 30_000],
  ])('after %i failures waits %i ms', (failures, expected) => {
    expect(backoffMs(rule, failures)).toBe(expected);
  });
});

describe('withJitter()', () => {
  it('stays within the last quarter of the wait', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (ms, random) => {
        const wait = withJitter(ms, () => random);
        expect(wait).toBeGreaterThanOrEqual(ms * 0.75);
        expect(wait).toBeLessThanOrEqual(ms);
      }),
    );
  });
});
