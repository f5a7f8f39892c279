import { describe, expect, it } from 'vitest';
import { parsePastTime } from '../../../cli/past-time.ts';

const NOW_MS = Date.parse('2026-11-23T12:00:00Z');
const hereMs = (text: string) => new Date(text).getTime();

describe('parsePastTime()', () => {
  it.each<[string, number]>([
    ['90s', NOW_MS - 90_000],
    ['1h30m', NOW_MS - 5_400_000],
    ['1763895600', 1_763_895_600_000],
    ['1763895600.25', 1_763_895_600_250],
    ['2026-11-23T09:30:00Z', Date.parse('2026-11-23T09:30:00Z')],
    ['2026-11-23T09:30:00.123456789Z', Date.parse('2026-11-23T09:30:00.123Z')],
    ['2026-11-23T09:30:00+02:00', Date.parse('2026-11-23T07:30:00Z')],
    ['2026-11-23T09:30', hereMs('2026-11-23T09:30:00')],
    ['2026-11-23T09', hereMs('2026-11-23T09:00:00')],
    ['2026-11-23', hereMs('2026-11-23T00:00:00')],
  ])('%s', (text, atMs) => {
    expect(parsePastTime(text, NOW_MS)).toBe(atMs);
  });

  it.each(['', 'yesterday', '2026-13-01', '2026-11-23 09:30', '-5m', '1d'])('does not take %j', (text) => {
    expect(parsePastTime(text, NOW_MS)).toBeUndefined();
  });
});
