/** Every invariant finds its mutant out. The seeds known to do are tried first, then others up to a thousand. */
import { expect, test } from 'vitest';
import { historyOf } from './chance.ts';
import { invariants } from './invariants/all.ts';
import type { Scene } from './invariants/invariant.ts';
import { mutants } from './mutants.ts';
import { run } from './run.ts';
import { withoutMetrics } from './world/without-metrics.ts';

const size = { nodes: 4, services: 6 };
const MOST_SEEDS = 1_000;
/** Asked for at the end of a run, see run.ts. */
const endings = ['converges', 'stays settled', 'a settled cluster plans nothing'];

withoutMetrics();

test.each(mutants)(
  '"$breaks" finds $name out',
  async ({ breaks, seed: known, minutes = 1, mutations }) => {
    let foundBy: number | undefined;
    const seeds = [known, ...Array.from({ length: MOST_SEEDS - 1 }, (_, index) => index + 1)];
    for (const seed of seeds) {
      const { violation } = await run(historyOf(seed, { ...size, minutes }), { mutations });
      if (violation?.invariant !== breaks) continue;
      foundBy = seed;
      break;
    }

    expect(foundBy).toBeDefined();
  },
  MOST_SEEDS * 2_000,
);

test('every invariant has a mutant', () => {
  const names = [...invariants.map((make) => make({} as Scene).name), 'converges', 'a settled cluster plans nothing'];
  const found = new Set(mutants.map(({ breaks }) => breaks));

  expect(names.filter((name) => !found.has(name))).toEqual([]);
  expect([...found].filter((name) => !names.includes(name) && !endings.includes(name))).toEqual([]);
});
