/** How fast this machine is at the moment: two fixed pieces of work, so that figures of different days can be judged. */
import { closeSync, openSync, readSync } from 'node:fs';

const ROUNDS = 5;
const STEPS = 10_000_000;
const READS = 1_000;

/** Processor milliseconds, the best of five: what others do on the machine at the same time counts as little as can be. */
export interface Calibration {
  /** Ten million steps of integer arithmetic. */
  readonly arithmeticMs: number;
  /** A thousand times open, read, close of /proc/self/stat. */
  readonly smallReadsMs: number;
}

export function calibrate(): Calibration {
  return { arithmeticMs: bestOf(arithmetic), smallReadsMs: bestOf(smallReads) };
}

function bestOf(work: () => void): number {
  return Math.min(...Array.from({ length: ROUNDS }, () => cpuMsOf(work)));
}

function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Marsaglia's xorshift, which no compiler foresees. */
function arithmetic(): void {
  let state = 2_463_534_242;
  for (let step = 0; step < STEPS; step += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  if (state === 0) throw new Error('xorshift came to 0, which it never does');
}

function smallReads(): void {
  const buffer = Buffer.allocUnsafe(4096);
  for (let read = 0; read < READS; read += 1) {
    const descriptor = openSync('/proc/self/stat', 'r');
    readSync(descriptor, buffer);
    closeSync(descriptor);
  }
}
