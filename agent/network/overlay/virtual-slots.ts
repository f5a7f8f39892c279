/**
 * How a virtual address leads to its tasks by chance: a chain per number of slots, which draws one of them. As many slots as
 * tasks share evenly and are few to load: 10 instead of 64 for a service of 10. Pure.
 */
import { chain } from '../nft-elements.ts';

export interface VirtualService {
  readonly vip: string;
  readonly backends: readonly string[];
}

/** Up to here a slot is a task; where there are more, they are at least four each, so that shares differ by a quarter at most. */
const EXACT_AT_MOST = 64;
const SLOTS_PER_TASK = 4;
const MOST_SLOTS = 65_536;
const exactCounts = Array.from({ length: EXACT_AT_MOST }, (_, index) => index + 1);
const slotCounts = [...exactCounts, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, MOST_SLOTS];

/**
 * A chain draws by one look at the kernel's maps and finds by another: between them a task may go, and its slot with it. The
 * first slot is there as long as there is any.
 */
export function chanceChains(backends: string): string[] {
  return slotCounts.map((slots) =>
    chain(chainOf(slots), [
      `dnat to ip daddr . numgen random mod ${slots} map @${backends}`,
      `dnat to ip daddr . numgen random mod 1 map @${backends}`,
    ]),
  );
}

/** The element that leads the address to its chain; none without tasks. */
export function chanceVerdict({ vip, backends }: VirtualService): string[] {
  return backends.length === 0 ? [] : [`${vip} : goto ${chainOf(slotsFor(backends.length))}`];
}

/** The elements that lead its slots to its tasks. */
export function slotElements({ vip, backends }: VirtualService): string[] {
  if (backends.length === 0) return [];
  const sorted = [...backends].sort();
  const slots = slotsFor(backends.length);
  return Array.from({ length: slots }, (_, slot) => `${vip} . ${slot} : ${sorted[slot % sorted.length]}`);
}

function slotsFor(tasks: number): number {
  if (tasks <= EXACT_AT_MOST) return tasks;
  return slotCounts.find((slots) => slots >= SLOTS_PER_TASK * tasks) ?? MOST_SLOTS;
}

function chainOf(slots: number): string {
  return `one_of_${slots}`;
}
