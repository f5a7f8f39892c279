import { expect, test } from 'vitest';
import type { Allowance } from '../../matrix/allowance.ts';
import { type CellHistory, judge } from '../../matrix/verdict.ts';
import type { EngineSample, LabContainer } from '../../support/lab-engines.ts';

const nothing: Allowance = { endedOn: [], standInsFor: [], awayHosts: [], why: '' };

const container = (id: string, host: string, change: Partial<LabContainer> = {}): LabContainer => ({
  host,
  id,
  service: 'steady',
  slot: `steady.${id.at(-1)}`,
  revision: 1,
  running: true,
  ...change,
});

/** Six replicas of `steady`, two on each of three hosts. */
const before = ['h1', 'h1', 'h2', 'h2', 'h3', 'h3'].map((host, index) => container(`c${index + 1}`, host));

const sampleAt = (atMs: number, host: string, containers: readonly LabContainer[]): EngineSample => ({
  atMs,
  host,
  containers: containers.filter((each) => each.host === host),
});

const allAt = (atMs: number, containers: readonly LabContainer[]): EngineSample[] =>
  ['h1', 'h2', 'h3'].map((host) => sampleAt(atMs, host, containers));

function history(change: Partial<CellHistory>): CellHistory {
  return {
    phase: 'idle',
    allowance: nothing,
    before,
    survivors: new Set(before.map(({ id }) => id)),
    samples: allAt(0, before),
    faultAtMs: 100,
    liftedAtMs: 1_000,
    ...change,
  };
}

test('nothing happened: nothing to say', () => {
  expect(judge(history({}))).toEqual({ violations: [], outageMs: 0 });
});

test('a container that is another run at the end is a violation, unless the fault ended it', () => {
  const survivors = new Set(['c1', 'c2', 'c3', 'c4', 'c5']);

  expect(judge(history({ survivors })).violations).toEqual(['steady.6 on h3 (c6) did not survive']);
  expect(judge(history({ survivors, allowance: { ...nothing, endedOn: ['h3'] } })).violations).toEqual([]);
  expect(judge(history({ survivors, allowance: { ...nothing, endedOn: ['h2'] } })).violations).toHaveLength(1);
});

test('a stand-in is a violation, unless its host was lost', () => {
  const standIn = container('d6', 'h1', { slot: 'steady.6' });
  const samples = [...allAt(0, before), ...allAt(500, [...before, standIn]), ...allAt(900, before)];

  expect(judge(history({ samples })).violations).toEqual([
    'steady.6 at revision 1 ran 2 times, explained are 1: c6 on h3 (the first), d6 on h1',
    'steady.6 at revision 1 ran 2 times at once, on h1 and h3 (at 500 ms)',
  ]);
  expect(judge(history({ samples, allowance: { ...nothing, standInsFor: ['h3'] } })).violations).toEqual([]);
});

test('a second stand-in is never explained', () => {
  const standIns = [container('d6', 'h1', { slot: 'steady.6' }), container('e6', 'h2', { slot: 'steady.6' })];
  const samples = [...allAt(0, before), ...allAt(500, [...before, ...standIns])];

  expect(judge(history({ samples, allowance: { ...nothing, standInsFor: ['h3'] } })).violations).toHaveLength(2);
});

test('two revisions of a slot may run side by side', () => {
  const next = container('d6', 'h1', { slot: 'steady.6', revision: 2 });

  expect(judge(history({ samples: [...allAt(0, before), ...allAt(500, [...before, next])] })).violations).toEqual([]);
});

test('an update that runs fewer replicas than promised is a violation', () => {
  const changing = before.map((each) => ({
    ...each,
    id: `x${each.id}`,
    service: 'changing',
    slot: `changing.${each.id}`,
  }));
  const all = [...before, ...changing];
  const samples = [...allAt(0, all), ...allAt(500, all.slice(0, -1)), ...allAt(900, all)];

  expect(judge(history({ phase: 'updating', before: all, samples })).violations).toEqual([
    'changing had only 5 replicas during its update, promised are 6',
  ]);
});

test('the outage is the time without all replicas on hosts that can be reached', () => {
  const allowance: Allowance = { ...nothing, standInsFor: ['h3'], awayHosts: ['h3'] };
  const standIns = [container('d5', 'h1', { slot: 'steady.5' }), container('d6', 'h2', { slot: 'steady.6' })];
  const during = [...before, ...standIns];
  const samples = [...allAt(0, before), ...allAt(200, before), ...allAt(700, during), ...allAt(1_500, before)];

  expect(judge(history({ allowance, samples }))).toEqual({ violations: [], outageMs: 500 });
});
