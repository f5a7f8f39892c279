/** Runs many seeds on all cores, and tells of those that fail. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../runtime/errors.ts';
import type { ClusterSize } from './chance.ts';
import type { SeedResult, SeedToRun } from './worker.ts';

const TELL_EVERY_MS = 30_000;
/** Of each worker: a world's messages live for moments, and collecting them less often takes a tenth off a run. */
const maxYoungGenerationSizeMb = 96;

export interface SeedRange {
  readonly from: number;
  readonly count: number;
  readonly size: ClusterSize;
}

/** Answers how many seeds failed. */
export async function runSeeds({ from, count, size }: SeedRange): Promise<number> {
  const progress = new Progress(count);
  let next = from;
  const work = async () => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb },
    });
    for (let seed = next++; seed < from + count; seed = next++) progress.take(await ask(worker, { seed, size }));
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism()) }, work));
  progress.end();
  return progress.failed;
}

/** Rejects when the simulation itself failed, with the seed that made it. */
function ask(worker: Worker, toRun: SeedToRun): Promise<SeedResult> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) =>
      reject(new Error(`Cannot simulate seed ${toRun.seed}: ${messageOf(cause)}`, { cause }));
    worker.once('error', failed);
    worker.once('message', (result: SeedResult) => {
      worker.off('error', failed);
      resolve(result);
    });
    worker.postMessage(toRun);
  });
}

class Progress {
  failed = 0;
  private done = 0;
  private slowestSettleMs = 0;
  private toldAtMs = performance.now();
  private readonly startedAtMs = performance.now();
  /** Of every thread: Node 20 cannot tell threads' apart. */
  private readonly cpuBefore = process.cpuUsage();
  private readonly count: number;
  /** Where histories are kept; made when there is one. */
  private folder: string | undefined;

  constructor(count: number) {
    this.count = count;
  }

  take(result: SeedResult): void {
    this.done += 1;
    this.slowestSettleMs = Math.max(this.slowestSettleMs, result.settledAfterMs ?? 0);
    if (result.failure) this.tell(result.seed, result.failure);
    this.tellHowFar();
  }

  end(): void {
    const { user, system } = process.cpuUsage(this.cpuBefore);
    const cpuMs = ((user + system) / 1_000 / this.done).toFixed(0);
    const tookS = ((performance.now() - this.startedAtMs) / 1_000).toFixed(0);
    console.log(
      `${this.done} seeds in ${tookS} s, ${this.failed} failed, ${cpuMs} ms of CPU each, settled within ${this.slowestSettleMs / 1_000} s`,
    );
  }

  private tellHowFar(): void {
    const sentence = `${this.done}/${this.count} seeds, ${this.failed} failed`;
    if (process.stderr.isTTY) process.stderr.write(`\r${sentence} `);
    else if (performance.now() - this.toldAtMs > TELL_EVERY_MS) {
      this.toldAtMs = performance.now();
      process.stderr.write(`${sentence}\n`);
    }
  }

  private tell(seed: number, { violation, history }: NonNullable<SeedResult['failure']>): void {
    this.failed += 1;
    this.folder ??= mkdtempSync(join(tmpdir(), 'plimsoll-sim-'));
    const path = join(this.folder, `seed-${seed}.json`);
    writeFileSync(path, JSON.stringify(history, undefined, 1));
    console.log(`\nseed ${seed} broke "${violation.invariant}" at ${violation.atMs / 1000} s: ${violation.sentence}`);
    for (const { atMs, happening } of history.entries) console.log(`  ${atMs / 1000} s ${JSON.stringify(happening)}`);
    console.log(`  npm run sim -- --trace --replay ${path}`);
  }
}
