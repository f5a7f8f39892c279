import { expect, it } from 'vitest';
import { reversals, timesDown } from '../../bench/autoscale/counts.ts';
import { noiseLevel } from '../../bench/autoscale/noise-level.ts';
import { countsThatStay } from '../../bench/autoscale/prediction.ts';
import { Random } from '../../simulation/world/random.ts';

it.each([
  { counts: [1], down: 0, flaps: 0 },
  { counts: [1, 3, 4], down: 0, flaps: 0 },
  { counts: [4, 3, 1], down: 2, flaps: 0 },
  { counts: [1, 4, 3], down: 1, flaps: 0 },
  { counts: [3, 2, 3, 2, 3], down: 2, flaps: 2 },
])('of $counts: $down times down, $flaps flaps', ({ counts, down, flaps }) => {
  expect([timesDown(counts), reversals(counts)]).toEqual([down, flaps]);
});

it('makes a noise with gaps and bursts, the same from the same seed', () => {
  const levels = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 600 }, () => noiseLevel(random));
  };
  expect(levels(1)).toEqual(levels(1));
  expect(Math.min(...levels(1))).toBe(0);
  expect(Math.max(...levels(1))).toBeGreaterThan(5);
});

it.each([
  { load: 0.5, counts: [1] },
  { load: 3.2, counts: [3, 4] },
  { load: 3.31, counts: [4] },
  { load: 4, counts: [4] },
  { load: 4.3, counts: [4, 5] },
])('the formula leaves $counts at a load of $load', ({ load, counts }) => {
  expect(countsThatStay(load, 8)).toEqual(counts);
});
