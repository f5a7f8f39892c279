/** What the simulation itself promises: the same seed, the same run; a failing history cut down to what it needs. */
import { expect, test } from 'vitest';
import { type ClusterSize, historyOf } from './chance.ts';
import { run } from './run.ts';
import { shrink } from './shrink.ts';
import { withoutMetrics } from './world/without-metrics.ts';

const size: ClusterSize = { minutes: 1, nodes: 4, services: 6 };

withoutMetrics();

test('the same seed gives the same run, to the last line', async () => {
  const history = historyOf(7, size);

  const [one, other] = [await run(history, { traced: true }), await run(history, { traced: true })];

  expect(one.trace.length).toBeGreaterThan(50);
  expect(other.trace).toEqual(one.trace);
}, 60_000);

test('shrink() keeps what a failure needs and drops the rest', async () => {
  const history = historyOf(7, size);
  const needed = history.entries[3];

  const shortest = await shrink(history, async ({ entries }) => entries.some((entry) => entry === needed), 100);

  expect(shortest.entries).toEqual([needed]);
});
