/**
 * Who of several gets which of 64 fixed slots, as Maglev's tables are filled (NSDI 2016): shares are as even as 64 slots
 * allow, everybody who knows the same names comes to the same table, and one that comes or goes moves few slots of the
 * others. Pure.
 */
import { createHash } from 'node:crypto';

export const SLOTS = 64;

export interface SlotCandidate {
  readonly key: string;
  /** Its share, against the others'. */
  readonly weight: number;
}

/** The key in each slot; empty without candidates. */
export function fillSlots(candidates: readonly SlotCandidate[]): string[] {
  const claims = quotas(candidates).map(({ key, slots }) => ({ preferences: preferencesOf(key), key, left: slots }));
  const filled = Array.from<string | undefined>({ length: SLOTS });
  let open = claims.filter(({ left }) => left > 0);
  while (open.length > 0) {
    for (const claim of open) {
      const slot = firstFree(claim.preferences, filled);
      filled[slot] = claim.key;
      claim.left -= 1;
    }
    open = open.filter(({ left }) => left > 0);
  }
  return filled.filter((key) => key !== undefined);
}

/** Whole slots per candidate: what is left after rounding down goes to the largest remainders. */
function quotas(candidates: readonly SlotCandidate[]): { key: string; slots: number }[] {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return [];
  const exact = candidates.map(({ key, weight }) => ({ key, share: (SLOTS * weight) / total }));
  const shares = exact.map(({ key, share }) => ({ key, slots: Math.floor(share), rest: share - Math.floor(share) }));
  const missing = SLOTS - shares.reduce((sum, { slots }) => sum + slots, 0);
  shares.sort((a, b) => b.rest - a.rest || compare(a.key, b.key));
  for (const share of shares.slice(0, missing)) share.slots += 1;
  return shares.sort((a, b) => compare(a.key, b.key));
}

/** All slots in an order of the key's own: the step is odd, so it meets each of them. */
function* preferencesOf(key: string): Generator<number, number> {
  const hash = createHash('sha256').update(key).digest();
  const [offset, step] = [hash.readUInt32BE(0) % SLOTS, (hash.readUInt32BE(4) % (SLOTS / 2)) * 2 + 1];
  for (let turn = 0; ; turn += 1) yield (offset + turn * step) % SLOTS;
}

function firstFree(preferences: Iterator<number, number>, filled: readonly (string | undefined)[]): number {
  for (;;) {
    const slot = preferences.next().value;
    if (filled[slot] === undefined) return slot;
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
