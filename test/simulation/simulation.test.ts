/** Whole clusters, one per seed. More of them: `npm run sim -- --seeds 10000`. */
import { describe, expect, test } from 'vitest';
import { type ClusterSize, historyOf } from './chance.ts';
import { run } from './run.ts';
import { shrink } from './shrink.ts';
import { withoutMetrics } from './world/without-metrics.ts';

const seeds = Number(process.env.PLIMSOLL_SIMULATION_SEEDS ?? 80);
/** Short runs of few services: what `npm run sim` simulates for ten minutes would take too long here. */
const size: ClusterSize = { minutes: 1, nodes: 4, services: 6 };
const SHARDS = 10;

withoutMetrics();

describe.each(Array.from({ length: SHARDS }, (_, shard) => shard))('simulated clusters, part %i', (shard) => {
  test(
    'whatever befalls them, no invariant breaks and they settle',
    async () => {
      for (let seed = shard + 1; seed <= seeds; seed += SHARDS) {
        const { violation } = await run(historyOf(seed, size));

        expect(
          violation,
          `seed ${seed}: npm run sim -- --minutes 1 --nodes 4 --services 6 --trace --seed ${seed}`,
        ).toBe(undefined);
      }
    },
    60_000 + seeds * 2_000,
  );
});

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
