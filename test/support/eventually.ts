/** Waiting for something to become true, for tests against real processes. */
import { setTimeout as delay } from 'node:timers/promises';

/** Polls `condition` until it answers something truthy (or throws no more) and answers that; fails after `timeoutMs`. */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly intervalMs?: number; readonly what?: string } = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 10_000, intervalMs = 20, what = 'the condition' } = options;
  const deadlineMs = performance.now() + timeoutMs;
  let lastError: unknown;
  while (performance.now() < deadlineMs) {
    try {
      const value = await condition();
      if (value) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await delay(intervalMs);
  }
  const last = lastError instanceof Error ? ` (${lastError.message})` : '';
  throw new Error(`Not within ${timeoutMs} ms: ${what}${last}`, { cause: lastError });
}
