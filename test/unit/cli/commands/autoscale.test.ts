import { describe, expect, it } from 'vitest';
import { changeOf, formatAutoscale, formatAutoscaleList } from '../../../../cli/commands/autoscale.ts';
import type { AutoscaleView } from '../../../../model/autoscale-view.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';

const view: AutoscaleView = {
  id: derivedId('service', 'web'),
  name: 'web',
  mode: 'on',
  min: 1,
  max: 8,
  replicas: 4,
  ready: 3,
  decided: 4,
  condition: 'following',
  reason: 'cpu is at 200 %',
  decidedAtMs: Date.UTC(2026, 0, 1),
  readings: [
    { source: 'cpu', value: 211.234, target: 50, wanted: 4, words: 'cpu is at 211 %' },
    { source: 'query', target: 10, words: 'query: it answers NaN' },
  ],
  options: { max: '8', cpu: '50' },
};

describe('plim autoscale', () => {
  it('reads what to set and what to remove', () => {
    expect(changeOf(['max=10', 'query=sum(a{b="c"})', 'cpu-', 'down-window-'])).toEqual({
      set: { max: '10', query: 'sum(a{b="c"})' },
      remove: ['cpu', 'down-window'],
    });
  });

  it.each([['max'], ['=5'], ['MAX=5']])('refuses %s', (word) => {
    expect(() => changeOf([word])).toThrow(/must be name=value, or name- to remove it/);
  });

  it('refuses to set nothing', () => {
    expect(() => changeOf([])).toThrow(/Nothing to set/);
  });

  it('lists services with their loads', () => {
    expect(formatAutoscaleList([view])).toMatch(
      /^web +on +1-8 +3\/4 +cpu 211\/50, query --\/10 +following +cpu is at 200 %$/m,
    );
  });

  it('shows one with its loads and options', () => {
    expect(formatAutoscale(view)).toMatch(/3 of 4 replicas ready, between 1 and 8, mode on/);
    expect(formatAutoscale(view)).toMatch(
      /cpu is at 211 %: 4 wanted\n {2}query: it answers NaN\n {2}max=8\n {2}cpu=50\n/,
    );
  });
});
