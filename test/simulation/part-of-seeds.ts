/** The seeds of the test run, in parts: each part is a file of its own, so that all cores work. */
import { expect, test } from 'vitest';
import { type ClusterSize, historyOf } from './chance.ts';
import { run, type Violation } from './run.ts';
import { withoutMetrics } from './world/without-metrics.ts';

const seeds = Number(process.env.PLIMSOLL_SIMULATION_SEEDS ?? 300);
/** Short runs of few services: what `npm run sim` simulates for ten minutes would take too long here. */
const size: ClusterSize = { minutes: 1, nodes: 4, services: 6 };
const PARTS = 4;
/** For messages and time limits. */
const SEEDS_PER_TEST = 5;
const LONGEST_RUN_MS = 20_000;

/** Declares the tests of one part, 1 to 4. */
export function testPartOfSeeds(part: 1 | 2 | 3 | 4): void {
  withoutMetrics();
  const own = Array.from({ length: seeds }, (_, index) => index + 1).filter((seed) => seed % PARTS === part - 1);
  const groups = Array.from({ length: Math.ceil(own.length / SEEDS_PER_TEST) }, (_, index) =>
    own.slice(index * SEEDS_PER_TEST, (index + 1) * SEEDS_PER_TEST),
  );
  test.each(groups)(
    'whatever befalls the clusters of seeds %i, %i, %i, %i, %i, no invariant breaks and they settle',
    async (...group) => {
      for (const seed of group)
        expect({ replay: commandFor(seed), violation: await violationOf(seed) }).toHaveProperty('violation', undefined);
    },
    SEEDS_PER_TEST * LONGEST_RUN_MS,
  );
}

async function violationOf(seed: number): Promise<Violation | undefined> {
  return (await run(historyOf(seed, size))).violation;
}

function commandFor(seed: number): string {
  const { minutes, nodes, services } = size;
  return `npm run sim -- --minutes ${minutes} --nodes ${nodes} --services ${services} --trace --seed ${seed}`;
}
