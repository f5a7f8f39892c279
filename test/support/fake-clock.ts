/** A clock whose time moves only when the test says so. */
import type { Clock } from '../../runtime/clock.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class FakeClock implements Clock {
  private nowMs = 0;
  private readonly startWallMs: number;
  private sleepers: Sleeper[] = [];

  constructor(startWallMs = Date.UTC(2026, 0, 1)) {
    this.startWallMs = startWallMs;
  }

  wallMs(): number {
    return this.startWallMs + this.nowMs;
  }

  elapsedMs(): number {
    return this.nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortError(signal));
      const sleeper = { dueMs: this.nowMs + Math.max(0, durationMs), wake: () => settle(resolve) };
      const onAbort = () => settle(() => reject(signal ? abortError(signal) : undefined));
      const settle = (finish: () => void) => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        signal?.removeEventListener('abort', onAbort);
        finish();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.sleepers.push(sleeper);
    });
  }

  /** Lets time pass, waking sleepers in order and letting what they start run before time goes on. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.nowMs + durationMs;
    await settleMicrotasks();
    for (let next = this.nextDue(endMs); next; next = this.nextDue(endMs)) {
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.wake();
      await settleMicrotasks();
    }
    this.nowMs = endMs;
    await settleMicrotasks();
  }

  private nextDue(endMs: number): Sleeper | undefined {
    const due = this.sleepers.filter((sleeper) => sleeper.dueMs <= endMs);
    return due.reduce<Sleeper | undefined>(
      (first, next) => (first && first.dueMs <= next.dueMs ? first : next),
      undefined,
    );
  }
}

/** As timers/promises does: an AbortError whatever the signal's reason. */
function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return error;
}

/** Lets everything that is ready to run, run. */
export async function settleMicrotasks(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
