/** Stopwatch and polling. */
import { setTimeout as delay } from 'node:timers/promises';

/** Seconds until `condition` holds, looked at every 50 ms; throws after `limitS`. */
export async function secondsUntil(condition: () => Promise<boolean>, limitS = 120): Promise<number> {
  const begin = performance.now();
  for (;;) {
    if (await condition()) return (performance.now() - begin) / 1000;
    if (performance.now() - begin > limitS * 1000) throw new Error(`Not reached within ${limitS} s`);
    await delay(50);
  }
}

/** Seconds a piece of work takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

/** Runs `task` for each item, at most `concurrency` at a time. */
export async function forEachConcurrently<T>(
  items: readonly T[],
  concurrency: number,
  task: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
