/** What the main thread and the beat thread share: a few numbers in shared memory, so that a hung main loop shows. */

const LAST_TICK = 0;
const ENGINE_RESPONSIVE = 1;
const EPOCH = 2;
const FIELDS = 3;

export class BeatState {
  readonly memory: SharedArrayBuffer;
  private readonly fields: BigInt64Array;

  constructor(memory = new SharedArrayBuffer(FIELDS * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.fields = new BigInt64Array(memory);
  }

  /** The main loop turned at `monotonicNs` (process.hrtime, the same in every thread). */
  tick(monotonicNs: bigint): void {
    Atomics.store(this.fields, LAST_TICK, monotonicNs);
  }

  set engineResponsive(responsive: boolean) {
    Atomics.store(this.fields, ENGINE_RESPONSIVE, responsive ? 1n : 0n);
  }

  get engineResponsive(): boolean {
    return Atomics.load(this.fields, ENGINE_RESPONSIVE) === 1n;
  }

  set epoch(epoch: number) {
    Atomics.store(this.fields, EPOCH, BigInt(epoch));
  }

  get epoch(): number {
    return Number(Atomics.load(this.fields, EPOCH));
  }

  mainLoopAgeMs(monotonicNs: bigint): number {
    return Number(monotonicNs - Atomics.load(this.fields, LAST_TICK)) / 1e6;
  }
}
