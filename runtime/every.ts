/** Short work at a steady pace. */
import type { Clock } from './clock.ts';

/**
 * Does `turn`, which must not throw, now and `periodMs` (asked anew each time if it is a function) after each time, until
 * the signal aborts; resolves then. Cheaper than a loop of sleeps: for what happens several times a second.
 */
export function every(
  clock: Clock,
  periodMs: number | (() => number),
  turn: () => void,
  signal: AbortSignal,
): Promise<void> {
  const waitMs = typeof periodMs === 'number' ? () => periodMs : periodMs;
  return new Promise((resolve) => {
    let cancel = () => {};
    const next = () => {
      turn();
      if (!signal.aborted) cancel = clock.after(waitMs(), next);
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
