/** What a host has that Docker has no word for (GPUs, licences): advertised by its engine as `node-generic-resources`. */
import { z } from 'zod';
import type { ListedGenericResource } from './service-spec.ts';

/** One kind a host has: a number of them, or some with names of their own (then `count` is how many names there are). */
export const GenericResource = z.object({ kind: z.string(), count: z.int().min(0), names: z.array(z.string()) });
export type GenericResource = z.infer<typeof GenericResource>;

/** The engine's list, sorted by kind; an entry without a number is one of 0. */
export function genericFromList(list: readonly ListedGenericResource[]): GenericResource[] {
  const kinds = new Map<string, GenericResource>();
  for (const { NamedResourceSpec: named, DiscreteResourceSpec: discrete } of list) {
    const kind = named?.Kind ?? discrete?.Kind;
    if (kind === undefined) continue;
    const { count, names } = kinds.get(kind) ?? { count: 0, names: [] };
    const more = named ? 1 : (discrete?.Value ?? 0);
    kinds.set(kind, { kind, count: count + more, names: named ? [...names, named.Value] : names });
  }
  return [...kinds.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1));
}

/** As the engine lists them: an entry for each name, one for a number. */
export function genericToList(resources: readonly GenericResource[]): ListedGenericResource[] {
  return resources.flatMap(({ kind: Kind, count, names }): ListedGenericResource[] => {
    if (names.length === 0) return [{ DiscreteResourceSpec: { Kind, Value: count } }];
    return names.map((Value) => ({ NamedResourceSpec: { Kind, Value } }));
  });
}
