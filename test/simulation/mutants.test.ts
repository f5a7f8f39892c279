/** Every invariant still finds what it is there to find: a product broken on purpose breaks it within a thousand seeds. */
import { describe, expect, test } from 'vitest';
import { historyOf } from './chance.ts';
import { mutants } from './mutants.ts';
import { run } from './run.ts';
import { withoutMetrics } from './world/without-metrics.ts';

const SEEDS = 1_000;
/** Small clusters do: what is looked for breaks most of them. */
const size = { minutes: 4, nodes: 4, services: 6 };
const TIMEOUT_MS = 300_000;

async function seedThatBreaks(invariant: string, mutations: (typeof mutants)[number]['mutations']) {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violation } = await run(historyOf(seed, size), { mutations });
    if (violation?.invariant === invariant) return seed;
  }
  return undefined;
}

describe('the invariants of the simulation', () => {
  withoutMetrics();

  test.each(mutants)(
    '$name breaks "$breaks"',
    async ({ breaks, mutations }) => {
      expect(await seedThatBreaks(breaks, mutations)).toBeLessThanOrEqual(SEEDS);
    },
    TIMEOUT_MS,
  );
});
