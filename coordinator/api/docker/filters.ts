/** The `filters` parameter: `{"name":{"web":true}}` or `{"name":["web"]}`. Keys are ANDed, values of a key ORed. Pure. */
import { z } from 'zod';
import { ApiError } from './responses.ts';

const Wire = z.record(z.string(), z.union([z.array(z.string()), z.record(z.string(), z.boolean())]));

export type Filters = ReadonlyMap<string, readonly string[]>;

/** Throws ApiError 400 for text that is no filter and for keys not in `knownKeys`. */
export function parseFilters(text: string | undefined, knownKeys: readonly string[]): Filters {
  if (!text) return new Map();
  const filters = new Map<string, string[]>();
  for (const [key, values] of Object.entries(parse(text))) {
    if (!knownKeys.includes(key)) throw new ApiError(400, `invalid filter '${key}'`);
    filters.set(key, Array.isArray(values) ? values : Object.keys(values).filter((value) => values[value]));
  }
  return filters;
}

function parse(text: string): z.infer<typeof Wire> {
  try {
    return Wire.parse(JSON.parse(text));
  } catch {
    throw new ApiError(400, 'invalid filter: must be a JSON object of lists or of maps to true');
  }
}

/** True when the key is not filtered on or one of its values passes. */
export function passes(filters: Filters, key: string, test: (value: string) => boolean): boolean {
  const values = filters.get(key);
  return values === undefined || values.length === 0 || values.some(test);
}

/** Labels: all of `a` (the key exists) and `a=b` (equal) must match. */
export function passesLabels(filters: Filters, key: string, labels: Readonly<Record<string, string>>): boolean {
  return (filters.get(key) ?? []).every((wanted) => {
    const [name, value] = splitOnce(wanted, '=');
    return Object.hasOwn(labels, name) && (value === undefined || labels[name] === value);
  });
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
