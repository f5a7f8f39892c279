/** Values a schema allows, and the ways to spoil one. Seeded: the same number gives the same value. */
import fc from 'fast-check';
import { z } from 'zod';

/** The part of JSON Schema our schemas need. */
interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Anything the schema takes as input, optional members now and then left out. */
export function arbitraryOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  return arbitraryFor(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
}

function arbitraryFor(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return fc.oneof(...options.map(arbitraryFor));
  switch (schema.type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return fc.array(arbitraryFor(schema.items ?? {}), { maxLength: 3 });
    case 'string':
      return schema.pattern === undefined ? text : fc.stringMatching(new RegExp(schema.pattern), { maxLength: 40 });
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? -1_000, -1_000),
        max: Math.min(schema.maximum ?? 1_000, 1_000),
      });
    case 'number':
      return fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 1, noNaN: true });
    case 'boolean':
      return fc.boolean();
    default:
      return fc.jsonValue({ maxDepth: 1 });
  }
}

const text = fc.oneof(fc.stringMatching(/^[a-z][a-z0-9.-]{0,12}$/), fc.string({ maxLength: 12, unit: 'grapheme' }));

function objectOf({ properties = {}, required = [], additionalProperties }: JsonSchema): fc.Arbitrary<unknown> {
  const members = Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, arbitraryFor(member)]));
  const known = fc.record(members, { requiredKeys: required.filter((name) => name in members) });
  if (typeof additionalProperties !== 'object' || Object.keys(properties).length > 0) return known;
  return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), arbitraryFor(additionalProperties), { maxKeys: 3 });
}

/** What no field of ours takes. */
const spoilers: readonly fc.Arbitrary<unknown>[] = [
  fc.constantFrom<unknown>(
    [[]],
    {},
    '',
    -1,
    1e308,
    -0.5,
    Number.MAX_SAFE_INTEGER,
    true,
    '\0',
    '\ud800',
    '__proto__',
    'constructor',
    '../../etc/passwd',
    '{{.Node.Hostname}}',
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.nat(3_000).map((length) => 'x'.repeat(length)),
  fc.nat(400).map(nested),
  fc.constant(JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}')),
];

/** `[[[...]]]` */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

export interface SpoiltJson {
  readonly json: unknown;
  /** Where: names and indexes from the root; empty for the root itself. */
  readonly path: readonly string[];
}

/** A value of `schema` with one part of it replaced by what does not belong there, or one member too many. */
export function spoiltJson(schema: z.ZodType): fc.Arbitrary<SpoiltJson> {
  return fc
    .tuple(arbitraryOf(schema), fc.nat(), fc.oneof(...spoilers), fc.boolean())
    .map(([json, chosen, spoiler, adds]) => {
      const places = placesIn(json);
      const path = places[chosen % places.length] ?? [];
      return adds
        ? { json: replaced(json, [...path, 'unheard_of'], spoiler), path }
        : { json: replaced(json, path, spoiler), path };
    });
}

function placesIn(json: unknown): string[][] {
  if (typeof json !== 'object' || json === null) return [[]];
  return [[], ...Object.entries(json).flatMap(([key, value]) => placesIn(value).map((path) => [key, ...path]))];
}

function replaced(json: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(json)) return json.map((item, index) => (String(index) === key ? replaced(item, rest, by) : item));
  const members = typeof json === 'object' && json !== null ? Object.entries(json) : [];
  const others = members.filter(([name]) => name !== key);
  const old = members.find(([name]) => name === key)?.[1];
  return Object.fromEntries([...others, [key, replaced(old, rest, by)]]);
}
