import { expect, it } from 'vitest';
import { parseExposition } from '../../support/exposition-page.ts';
import { type Agreement, compareSeries } from '../../support/series-comparison.ts';

const readings = (before: number, ours: number, after: number) => ({
  before: new Map([['x{}', before]]),
  ours: new Map([['x{}', ours]]),
  after: new Map([['x{}', after]]),
});

it.each<[agreement: Agreement, ours: number, agrees: boolean]>([
  [{ kind: 'counter' }, 10, true],
  [{ kind: 'counter' }, 20, true],
  [{ kind: 'counter' }, 9.9, false],
  [{ kind: 'counter' }, 20.1, false],
  [{ kind: 'counter', slack: 1 }, 9.1, true],
  [{ kind: 'gauge', share: 0.1 }, 22, true],
  [{ kind: 'gauge', share: 0.1 }, 22.1, false],
  [{ kind: 'exact' }, 10, false],
])('%o of 10 and 20 holds %d: %s', (agreement, ours, agrees) => {
  expect(compareSeries('x', agreement, readings(10, ours, 20)).wrong.length === 0).toBe(agrees);
});

it('misses a series that only the reference has, and ignores one that came or went', () => {
  const both = parseExposition('x{a="1"} 1\nx{a="2"} 1\n').series;
  const gone = parseExposition('x{a="1"} 1\n').series;
  const missing = compareSeries('x', { kind: 'exact' }, { before: both, ours: gone, after: both });
  expect(missing).toEqual({ compared: 2, wrong: ['x{a="2"}: missing, wanted 1 to 1'] });
  expect(compareSeries('x', { kind: 'exact' }, { before: both, ours: gone, after: gone })).toEqual({
    compared: 1,
    wrong: [],
  });
});

it('parseExposition() refuses a series that is there twice', () => {
  expect(() => parseExposition('x{a="1",b="2"} 1\nx{b="2",a="1"} 1\n')).toThrow('twice on the page');
});
