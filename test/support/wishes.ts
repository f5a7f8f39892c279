/** Wishes of a coordinator in memory. */
import type { Buckets } from '../../bus/buckets.ts';
import { vaultOf } from '../../coordinator/payloads/vault.ts';
import type { Store } from '../../coordinator/store/store.ts';
import type { WishParts } from '../../coordinator/wishes/wish-parts.ts';
import { createWishes, type Wishes } from '../../coordinator/wishes/wishes.ts';
import type { Clock } from '../../runtime/clock.ts';
import { randomId } from '../../runtime/identifiers.ts';
import { createLog } from '../../runtime/log.ts';

/** The vault of coordinators whose test cares for no other. */
export const testVault = vaultOf(new Uint8Array(32));

/** On a store; `changes` takes the place of single parts. */
export function wishesOn(
  store: Store,
  { buckets, bus }: { readonly buckets: Buckets; readonly bus: WishParts['bus'] },
  clock: Clock,
  changes: Partial<WishParts> = {},
): Wishes {
  return createWishes({
    buckets,
    bus,
    snapshot: () => store.snapshot(),
    barrier: store,
    vault: testVault,
    clock,
    log: createLog('test', 'silent'),
    random: () => 0,
    newId: randomId,
    revokeNode: async () => undefined,
    ...changes,
  });
}
