import { describe, expect, it } from 'vitest';
import { labelsLeft, selectorUses, syntaxErrors } from '../../dashboards/promql-tree.ts';

it('finds selectors with their matchers, ranges and what is around them', () => {
  expect(selectorUses('sum by (a) (rate(x{job="j"}[5m])) / count(y)')).toEqual([
    { metric: 'x', matchers: 'job="j"', range: '5m', within: ['rate', 'sum'] },
    { metric: 'y', matchers: '', range: undefined, within: ['count'] },
  ]);
  expect(selectorUses('{__name__=~"x|y"}')).toMatchObject([{ metric: '', matchers: '__name__=~"x|y"' }]);
});

it('says where an expression is wrong', () => {
  expect(syntaxErrors('sum(rate(x[5m]))')).toEqual([]);
  expect(syntaxErrors('sum(rate(x[5m])')).not.toEqual([]);
  expect(syntaxErrors('x{a=}')).not.toEqual([]);
});

describe('labels that are left', () => {
  it.each<[expr: string, labels: string[] | undefined]>([
    ['x', undefined],
    ['sum(x)', []],
    ['sum by (a, b) (x)', ['a', 'b']],
    ['sum without (a) (x)', undefined],
    ['topk(5, sum by (a) (x))', ['a']],
    ['histogram_quantile(0.9, sum by (le, a) (rate(x[5m])))', ['a']],
    ['1 - avg by (a) (x)', ['a']],
    ['time() - max by (a) (x)', ['a']],
    ['sum by (a) (x) > 0', ['a']],
    ['(sum by (a) (x)) / 2', ['a']],
    ['count(x) or vector(0)', []],
    ['sum by (a) (x) * on (a) group_left (b) sum by (a, b) (y)', ['a', 'b']],
    ['sum by (c) (label_replace(x, "c", "$1", "d", "(.+)"))', ['c']],
  ])('%s', (expr, labels) => {
    expect(labelsLeft(expr)).toEqual(labels && new Set(labels));
  });
});
