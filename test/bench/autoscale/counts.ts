/** What counts of replicas, as they were seen one after the other, say of how a service was scaled. Pure. */

/** How often it went down. */
export function timesDown(counts: readonly number[]): number {
  return counts.filter((count, index) => index > 0 && count < (counts[index - 1] ?? count)).length;
}

/** How often it went up at once after it had gone down: what flapping is. */
export function reversals(counts: readonly number[]): number {
  const isDown = (index: number) => (counts[index] ?? 0) < (counts[index - 1] ?? 0);
  const isUp = (index: number) => (counts[index] ?? 0) > (counts[index - 1] ?? Number.POSITIVE_INFINITY);
  return counts.filter((_, index) => index > 1 && isUp(index) && isDown(index - 1)).length;
}
