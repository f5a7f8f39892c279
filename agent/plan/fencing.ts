/**
 * Which assignments were written under an old lease. The bucket's own order decides: a record of epoch 4 that comes after
 * one of epoch 5 is a former leader's late write. An old record that nobody had reason to rewrite stays good.
 */

export interface FencedWrite {
  readonly revision: number;
  readonly epoch: number;
}

/** For each epoch seen, the first revision it was seen at. */
export type EpochStarts = ReadonlyMap<number, number>;

export function noteEpochs(starts: EpochStarts, writes: readonly FencedWrite[]): EpochStarts {
  const noted = new Map(starts);
  for (const { epoch, revision } of writes) {
    noted.set(epoch, Math.min(noted.get(epoch) ?? Number.POSITIVE_INFINITY, revision));
  }
  return noted;
}

export function isStale(starts: EpochStarts, write: FencedWrite): boolean {
  return [...starts].some(([epoch, revision]) => epoch > write.epoch && revision < write.revision);
}

export function highestEpoch(starts: EpochStarts): number {
  return Math.max(0, ...starts.keys());
}
