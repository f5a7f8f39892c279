import { describe, expect, it } from 'vitest';
import { AlertToken } from '../../../../coordinator/alerts/alert-token.ts';
import type { Snapshot } from '../../../../coordinator/store/snapshot.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { MemoryServer } from '../../../support/memory-bus.ts';
import { aSnapshot } from '../../../support/snapshots.ts';
import { testVault } from '../../../support/wishes.ts';

const { buckets } = new MemoryServer({ clock: systemClock }).connect();

function tokenWith(cluster: Snapshot['cluster'], isReadable = true): AlertToken {
  const store = { reached: async () => undefined, isReadable: () => isReadable };
  return new AlertToken({ vault: testVault, buckets, store, snapshot: () => ({ ...aSnapshot(), cluster }) });
}

describe('the token for alerts', () => {
  it('is the first one before there is a record of the cluster', () => {
    const first = tokenWith(undefined).current();
    expect(tokenWith(undefined).isShownIn(`Bearer ${first}`)).toBe(true);
    expect(tokenWith(aSnapshot().cluster).current()).toBe(first);
  });

  it('is not told, nor the first one believed, while the record that numbers it is damaged', () => {
    const first = tokenWith(undefined).current();
    const damaged = tokenWith(undefined, false);
    expect(() => damaged.current()).toThrow(/record of the cluster is damaged/);
    expect(() => damaged.isShownIn(`Bearer ${first}`)).toThrow(/record of the cluster is damaged/);
  });
});
