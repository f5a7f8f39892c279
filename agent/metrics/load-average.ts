/** cAdvisor's load of a container: how many processes ran or were stuck, smoothed over 10 s. Pure. */

export interface LoadAverage {
  readonly atMs: number;
  readonly running: number;
  readonly uninterruptible: number;
}

const WINDOW_MS = 10_000;

/** `now` is what a scrape counted; between two scrapes the older counts fade by e every 10 s. */
export function nextLoad(previous: LoadAverage | undefined, now: LoadAverage): LoadAverage {
  if (!previous) return now;
  const kept = Math.exp(-Math.max(0, now.atMs - previous.atMs) / WINDOW_MS);
  const smooth = (before: number, after: number) => before * kept + after * (1 - kept);
  return {
    atMs: now.atMs,
    running: smooth(previous.running, now.running),
    uninterruptible: smooth(previous.uninterruptible, now.uninterruptible),
  };
}
