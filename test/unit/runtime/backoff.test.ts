import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../runtime/backoff.ts';

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
