/** Short work at a steady pace. */
import type { Clock } from './clock.ts';

/**
 * Does `turn`, which must not throw, now and `periodMs` after each time, until the signal aborts; resolves then. Cheaper
 * than a loop of sleeps: for what happens several times a second.
 */
export function every(clock: Clock, periodMs: number, turn: () => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let cancel = () => {};
    const next = () => {
      turn();
      if (!signal.aborted) cancel = clock.after(periodMs, next);
    };
    const stop = () => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    else next();
  });
}
