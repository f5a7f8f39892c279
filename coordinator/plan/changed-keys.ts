/** The keys under which two tables hold different things; entries are compared as objects, being immutable. Pure. */
export function changedKeys<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): string[] {
  if (before === after) return [];
  const changed: string[] = [];
  let added = 0;
  for (const [key, value] of after) {
    const known = before.get(key);
    if (known === value) continue;
    changed.push(key);
    if (known === undefined) added += 1;
  }
  if (before.size + added === after.size) return changed;
  for (const key of before.keys()) if (!after.has(key)) changed.push(key);
  return changed;
}
