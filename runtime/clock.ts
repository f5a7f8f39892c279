/** Time as an injected thing: nothing else in the program reads a clock. */

export interface Clock {
  /** Milliseconds since 1970; may jump, for people and for records only. */
  wallMs(): number;
  /** Milliseconds of a clock that never jumps; for durations and deadlines. */
  elapsedMs(): number;
  /** Resolves after `durationMs` (24 days at the most); rejects with an AbortError when aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls back after `durationMs`, unless the function it answers is called before. */
  after(durationMs: number, callback: () => void): () => void;
}

/** Both readings of a clock at one moment: the wall for people and records, the elapsed one for waits and what was measured. */
export function nowOn(clock: Pick<Clock, 'wallMs' | 'elapsedMs'>): {
  readonly wallMs: number;
  readonly elapsedMs: number;
} {
  return { wallMs: clock.wallMs(), elapsedMs: clock.elapsedMs() };
}

/** setTimeout() takes what is longer for 1 ms. Who waits for weeks is woken early and looks again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (durationMs, signal) => sleepOn(systemClock, durationMs, signal),
  after: (durationMs, callback) => {
    const timer = setTimeout(callback, Math.min(durationMs, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** A clock's `sleep` in terms of its `after`. */
export function sleepOn(clock: Pick<Clock, 'after'>, durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal));
    const cancel = clock.after(durationMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = () => {
      cancel();
      reject(abortError(signal));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Waits again and again for one who ends with a signal, which is listened to once and not anew for every wait. */
export class Waits {
  private readonly clock: Pick<Clock, 'after'>;
  private readonly signal: AbortSignal;
  private end: () => void = () => undefined;

  constructor(clock: Pick<Clock, 'after'>, signal: AbortSignal) {
    this.clock = clock;
    this.signal = signal;
    signal.addEventListener('abort', () => this.end(), { once: true });
  }

  /** Resolves after `durationMs`, or as soon as the signal aborts. One wait at a time. */
  wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) return resolve();
      const cancel = this.clock.after(durationMs, resolve);
      this.end = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** An AbortError whatever the signal's reason, as timers/promises throws it. */
function abortError(signal: AbortSignal | undefined): Error {
  const error = new Error('The operation was aborted', { cause: signal?.reason });
  error.name = 'AbortError';
  return error;
}

/** `work`'s result, or `onTimeout()`'s error after `durationMs`. The work itself goes on: pass it a signal to stop it. */
export function withDeadline<T>(
  clock: Clock,
  durationMs: number,
  work: Promise<T>,
  onTimeout: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(durationMs, () => reject(onTimeout()));
    work.then(resolve, reject).finally(cancel);
  });
}
