/** What `nft --json list set` says of the counted connections. Formats: libnftables-json(5). Pure. */
import { z } from 'zod';

const Element = z.object({
  elem: z.object({
    val: z.union([z.string(), z.object({ concat: z.tuple([z.string(), z.string()]) })]),
    counter: z.object({ packets: z.number().min(0) }),
  }),
});
const Listing = z.object({
  nftables: z.array(z.object({ set: z.object({ elem: z.array(Element).default([]) }).optional() })),
});

/** Connections by address, or by `caller called`. Throws when it is no such listing. */
export function countersIn(listing: string): Map<string, number> {
  const elements = Listing.parse(JSON.parse(listing)).nftables.flatMap(({ set }) => set?.elem ?? []);
  return new Map(elements.map(({ elem: { val, counter } }) => [keyOf(val), counter.packets]));
}

/** How much counters grew; one that fell began again, for its element was forgotten meanwhile. */
export function growth(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): Map<string, number> {
  const grown = new Map<string, number>();
  for (const [key, count] of now) {
    const known = before.get(key) ?? 0;
    const more = count >= known ? count - known : count;
    if (more > 0) grown.set(key, more);
  }
  return grown;
}

function keyOf(value: z.infer<typeof Element>['elem']['val']): string {
  return typeof value === 'string' ? value : value.concat.join(' ');
}
