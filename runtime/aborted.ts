/** The end that a signal tells, as something to wait for. */

/**
 * Resolves when the signal aborts, at once if it already has: an aborted signal calls no listener any more, and a stop
 * may come while a start still waits for something.
 */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
