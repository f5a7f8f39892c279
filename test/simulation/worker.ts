/** Runs seeds one after the other in a thread of its own, and shortens the histories of those that fail. */
import { parentPort } from 'node:worker_threads';
import { type ClusterSize, historyOf } from './chance.ts';
import type { History } from './happenings.ts';
import { run, type Violation } from './run.ts';
import { shrink } from './shrink.ts';
import { withoutMetrics } from './world/without-metrics.ts';

/** Histories tried in search of a shorter one. */
const SHRINKING_RUNS = 60;

export interface SeedToRun {
  readonly seed: number;
  readonly size: ClusterSize;
}

export interface SeedResult {
  readonly seed: number;
  readonly failure: { readonly violation: Violation; readonly history: History } | undefined;
  /** How long the cluster took to settle after everything had healed. */
  readonly settledAfterMs: number | undefined;
}

async function runSeed({ seed, size }: SeedToRun): Promise<SeedResult> {
  const history = historyOf(seed, size);
  const { violation, settledAfterMs } = await run(history);
  if (!violation) return { seed, failure: undefined, settledAfterMs };
  const breaksToo = async (shorter: History) => (await run(shorter)).violation?.invariant === violation.invariant;
  const shortest = await shrink(history, breaksToo, SHRINKING_RUNS);
  return { seed, failure: { violation, history: shortest }, settledAfterMs };
}

withoutMetrics();
Error.stackTraceLimit = 0;
parentPort?.on('message', (seed: SeedToRun) => {
  void runSeed(seed).then((result) => parentPort?.postMessage(result));
});
