/** Go reads JSON keys without regard to case, and clients rely on it: python's sends `replicated` for `Replicated`. Pure. */
import { z } from 'zod';

/** A copy of `json` with every key spelt as the schema spells it; unknown keys and the keys of maps stay as they are. */
export function spelledAs(schema: z.core.$ZodType, json: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return spelledAs(schema.def.innerType, json);
  if (schema instanceof z.ZodArray) {
    const { element } = schema.def;
    return Array.isArray(json) ? json.map((item) => spelledAs(element, item)) : json;
  }
  if (!(schema instanceof z.ZodObject) || typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  const { shape } = schema;
  const spelling = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]));
  const entries = Object.entries(json).map(([key, value]) => {
    const name = Object.hasOwn(shape, key) ? key : (spelling.get(key.toLowerCase()) ?? key);
    const member = shape[name];
    return [name, member === undefined ? value : spelledAs(member, value)];
  });
  return Object.fromEntries(entries);
}
