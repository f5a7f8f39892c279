/**
 * JSON that all readers take for the same: Go's takes names of fields in any case, and of a name that is there twice it puts
 * both values together.
 */

/** undefined for what is no JSON, has a name twice in an object, or writes one of `fields` in another way. */
export function plainJson(text: string, fields: readonly string[]): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const names = namesIn(value);
    const known = new Map(fields.map((field) => [folded(field), field]));
    const isOdd = names.some((name) => (known.get(folded(name)) ?? name) !== name);
    return isOdd || names.length !== countOfNames(text) ? undefined : value;
  } catch {
    // Not JSON at all, or too deep to be looked through.
    return undefined;
  }
}

/** Names of all objects in a value. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(namesIn)];
}

/** In a text that is JSON a string before a colon is a name. */
function countOfNames(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*(:)?/g)) if (colon) count++;
  return count;
}

/** As Go compares names of fields: also the long s and the sign of Kelvin are letters. */
function folded(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}
