/** Time as an injected thing: nothing else in the program reads a clock. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since 1970; may jump, for people and for records only. */
  wallMs(): number;
  /** Milliseconds of a clock that never jumps; for durations and deadlines. */
  elapsedMs(): number;
  /** Resolves after `durationMs`; rejects with the signal's reason when aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (durationMs, signal) => delay(durationMs, undefined, signal ? { signal } : {}),
};

/** `work`'s result, or `onTimeout()`'s error after `durationMs`. The work itself goes on: pass it a signal to stop it. */
export async function withDeadline<T>(
  clock: Clock,
  durationMs: number,
  work: Promise<T>,
  onTimeout: () => Error,
): Promise<T> {
  const timer = new AbortController();
  const expiry = clock.sleep(durationMs, timer.signal).then(
    () => Promise.reject(onTimeout()),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, expiry]);
  } finally {
    timer.abort();
  }
}
