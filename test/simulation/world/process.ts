/** An operating system process of the simulated world: it can be killed and frozen, and has its host's idea of time. */
import { type Clock, sleepOn } from '../../../runtime/clock.ts';
import type { SimulatedTime } from './time.ts';

/** A host's clocks: the wall's may be wrong and jump, the elapsed one counts from some moment of its own. */
export interface HostClocks {
  wallOffsetMs: number;
  /** When the elapsed clock stood at 0: of processes that started since. */
  bootedAtMs: number;
}

const EPOCH_MS = Date.UTC(2026, 0, 1);

export class SimulatedProcess {
  readonly name: string;
  readonly clock: Clock;
  private readonly time: SimulatedTime;
  private killed = false;
  /** What reached it while it was frozen. */
  private waiting: (() => void)[] | undefined;

  constructor(name: string, time: SimulatedTime, clocks: HostClocks) {
    this.name = name;
    this.time = time;
    const { bootedAtMs } = clocks;
    const after = (durationMs: number, callback: () => void) => time.after(durationMs, () => this.arrive(callback));
    this.clock = {
      wallMs: () => EPOCH_MS + time.nowMs + clocks.wallOffsetMs,
      elapsedMs: () => time.nowMs - bootedAtMs,
      sleep: (durationMs, signal) => sleepOn({ after }, durationMs, signal),
      after,
    };
  }

  get isAlive(): boolean {
    return !this.killed;
  }

  get isFrozen(): boolean {
    return this.waiting !== undefined;
  }

  private get isReachable(): boolean {
    return !this.killed && this.waiting === undefined;
  }

  /** Runs what reaches the process: now, once it is thawed, or never. */
  arrive(work: () => void): void {
    if (this.killed) return;
    if (this.waiting) this.waiting.push(work);
    else work();
  }

  /** `kill -9`: nothing reaches it any more. */
  kill(): void {
    this.killed = true;
    this.waiting = undefined;
  }

  /** `SIGSTOP`. */
  freeze(): void {
    if (!this.killed) this.waiting ??= [];
  }

  /** `SIGCONT`: what is overdue happens in its order, one after the other. */
  thaw(): void {
    const late = this.waiting;
    this.waiting = undefined;
    for (const work of late ?? []) this.time.after(0, () => this.arrive(work));
  }

  /** The part as the process may use it: answers and callbacks reach it only while it lives, calls of the dead do nothing. */
  use<T extends object>(part: T): T {
    return new Proxy(part, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]) =>
          this.killed ? never() : this.answer(member.apply(target, this.callbacks(given)));
      },
    });
  }

  private answer(result: unknown): unknown {
    if (!(result instanceof Promise)) return result;
    return result.then(
      (value) => (this.isReachable ? value : new Promise((resolve) => this.arrive(() => resolve(value)))),
      (error: unknown) => {
        if (this.isReachable) throw error;
        return new Promise((_, reject) => this.arrive(() => reject(error)));
      },
    );
  }

  private callbacks(given: unknown[]): unknown[] {
    if (!given.some((one) => typeof one === 'function')) return given;
    return given.map((one) => {
      if (typeof one !== 'function') return one;
      return (...words: unknown[]) => this.arrive(() => one(...words));
    });
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
