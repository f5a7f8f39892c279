/**
 * nft tables whose chains seldom change and whose sets and maps change by element: what brings the kernel from one to the
 * next, in one transaction. Pure.
 */

/**
 * The elements of a set or map, in parts of any names: of many thousand elements only those of parts that changed are
 * compared one by one. Parts may share elements.
 */
export type ElementParts = ReadonlyMap<string, readonly string[]>;

/** Names of sets and maps, and their elements; a map's are `key : value`. */
export type Elements = ReadonlyMap<string, ElementParts>;

export interface RenderedTable {
  /** Of the family `ip`. */
  readonly name: string;
  /** Chains, and declarations of sets and maps. */
  readonly frame: string;
  readonly elements: Elements;
}

const noParts: ElementParts = new Map();

/** Of sets that are small. */
export function inOnePart(elements: readonly string[]): ElementParts {
  return new Map([['all', elements]]);
}

/** Elements per line that nft is given. */
const ELEMENTS_AT_ONCE = 500;

/**
 * Text for `nft -f -`; empty when the tables are the same. Without a table before, or with other chains, the whole is
 * loaded: connections live on, they are conntrack's.
 */
export function tableChange(before: RenderedTable | undefined, after: RenderedTable): string {
  const { name: table } = after;
  if (before?.frame !== after.frame) {
    const all = [...after.elements].flatMap(([name, parts]) => add(table, name, changeOf(noParts, parts).added));
    return [tableRemoval(table), after.frame, ...all].join('\n');
  }
  const changes: string[] = [];
  for (const [name, wanted] of after.elements) {
    const { gone, added } = changeOf(before.elements.get(name) ?? noParts, wanted);
    changes.push(...remove(table, name, gone), ...add(table, name, added));
  }
  return changes.join('\n');
}

interface ElementChange {
  readonly gone: ReadonlySet<string>;
  readonly added: ReadonlySet<string>;
}

function changeOf(known: ElementParts, wanted: ElementParts): ElementChange {
  const names = new Set([...known.keys(), ...wanted.keys()]);
  const parts = [...names].map((name) => split(known.get(name) ?? [], wanted.get(name) ?? []));
  const before = new Set(parts.flatMap((part) => part.before));
  const after = new Set(parts.flatMap((part) => part.after));
  const [gone, added] = [minus(before, after), minus(after, before)];
  if (gone.size + added.size > 0) for (const { kept } of parts) withoutAny(kept, gone, added);
  return { gone, added };
}

/** Lists of one part: what begins and ends both alike is left out, which leaves next to nothing where one element changed. */
interface PartChange {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly kept: readonly (readonly string[])[];
}

function split(before: readonly string[], after: readonly string[]): PartChange {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return {
    before: before.slice(head, before.length - tail),
    after: after.slice(head, after.length - tail),
    kept: [after.slice(0, head), after.slice(after.length - tail)],
  };
}

/** What another part has as well neither goes nor comes. */
function withoutAny(kept: PartChange['kept'], gone: Set<string>, added: Set<string>): void {
  for (const element of kept.flat()) {
    gone.delete(element);
    added.delete(element);
  }
}

/** Removes the table whether it is there or not. */
export function tableRemoval(table: string): string {
  return `add table ip ${table}\ndelete table ip ${table}`;
}

/** A chain other chains lead to. */
export function chain(name: string, rules: readonly string[]): string {
  return [`chain ${name} {`, ...rules, '}'].join('\n');
}

/** A chain the kernel itself calls; `hook` is its type, place and priority. */
export function baseChain(name: string, hook: string, rules: readonly string[]): string {
  return chain(name, [`type ${hook}; policy accept;`, ...rules]);
}

function minus(all: ReadonlySet<string>, without: ReadonlySet<string>): Set<string> {
  return new Set([...all].filter((element) => !without.has(element)));
}

function add(table: string, name: string, elements: ReadonlySet<string>): string[] {
  return batches([...elements]).map((batch) => `add element ip ${table} ${name} { ${batch.join(', ')} }`);
}

/** A map's element goes by its key. */
function remove(table: string, name: string, elements: ReadonlySet<string>): string[] {
  const keys = [...elements].map((element) => element.split(' : ')[0] ?? '');
  return batches(keys).map((batch) => `delete element ip ${table} ${name} { ${batch.join(', ')} }`);
}

function batches(elements: readonly string[]): string[][] {
  const count = Math.ceil(elements.length / ELEMENTS_AT_ONCE);
  return Array.from({ length: count }, (_, index) =>
    elements.slice(index * ELEMENTS_AT_ONCE, (index + 1) * ELEMENTS_AT_ONCE),
  );
}
