/** `npm run sim`: runs many seeds on all cores, or replays one with a readable trace. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { historyOf } from './chance.ts';
import { History } from './happenings.ts';
import { run } from './run.ts';
import type { SeedResult, SeedToRun } from './worker.ts';
import { withoutMetrics } from './world/without-metrics.ts';

const HELP = `Usage: npm run sim -- [--seeds N] [--from S] [--minutes M] [--nodes N] [--services N]
       npm run sim -- --seed S [--trace]
       npm run sim -- --replay FILE

Simulates whole clusters, one per seed: real agents and coordinators on simulated hosts, engines, NATS and time.
Exit code 1 when an invariant was broken; the shortest history found is then printed and stored for --replay.`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    nodes: { type: 'string', default: '5' },
    services: { type: 'string', default: '20' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const size = { minutes: Number(values.minutes), nodes: Number(values.nodes), services: Number(values.services) };

async function replay(history: History, traced: boolean): Promise<boolean> {
  const { violation, settledAfterMs, trace } = await run(history, { traced });
  if (traced) console.log(trace.join('\n'));
  console.log(
    violation ? `BROKEN ${violation.invariant}: ${violation.sentence}` : `ok, settled after ${settledAfterMs} ms`,
  );
  return violation === undefined;
}

/** Answers how many seeds failed. */
async function runSeeds(from: number, count: number): Promise<number> {
  const progress = new Progress(count);
  let next = from;
  const work = async () => {
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    for (let seed = next++; seed < from + count; seed = next++) progress.take(await ask(worker, { seed, size }));
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  progress.end();
  return progress.failed;
}

function ask(worker: Worker, seed: SeedToRun): Promise<SeedResult> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (result: SeedResult) => {
      worker.off('error', reject);
      resolve(result);
    });
    worker.postMessage(seed);
  });
}

class Progress {
  failed = 0;
  private done = 0;
  private cpuMs = 0;
  private slowestSettleMs = 0;
  private readonly count: number;
  private readonly folder = mkdtempSync(join(tmpdir(), 'plimsoll-sim-'));

  constructor(count: number) {
    this.count = count;
  }

  take(result: SeedResult): void {
    this.done += 1;
    this.cpuMs += result.cpuMs;
    this.slowestSettleMs = Math.max(this.slowestSettleMs, result.settledAfterMs ?? 0);
    if (result.failure) this.tell(result.seed, result.failure);
    if (process.stderr.isTTY) process.stderr.write(`\r${this.done}/${this.count} seeds, ${this.failed} failed `);
  }

  end(): void {
    const perSeed = (this.cpuMs / Math.max(1, this.done)).toFixed(0);
    console.log(
      `${this.done} seeds, ${this.failed} failed, ${perSeed} ms of CPU each, settled within ${this.slowestSettleMs / 1000} s`,
    );
  }

  private tell(seed: number, { violation, history }: NonNullable<SeedResult['failure']>): void {
    this.failed += 1;
    const path = join(this.folder, `seed-${seed}.json`);
    writeFileSync(path, JSON.stringify(history, undefined, 1));
    console.log(`\nseed ${seed} broke "${violation.invariant}" at ${violation.atMs / 1000} s: ${violation.sentence}`);
    for (const { atMs, happening } of history.entries) console.log(`  ${atMs / 1000} s ${JSON.stringify(happening)}`);
    console.log(`  npm run sim -- --trace --replay ${path}`);
  }
}

async function main(): Promise<boolean> {
  if (values.help) {
    console.log(HELP);
    return true;
  }
  if (values.replay === undefined && values.seed === undefined)
    return (await runSeeds(Number(values.from), Number(values.seeds))) === 0;
  withoutMetrics();
  const history =
    values.replay === undefined
      ? historyOf(Number(values.seed), size)
      : History.parse(JSON.parse(readFileSync(values.replay, 'utf8')));
  return replay(history, values.trace);
}

process.exitCode = (await main()) ? 0 : 1;
