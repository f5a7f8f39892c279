/**
 * nft tables whose chains seldom change and whose sets and maps change by element: what brings the kernel from one to the
 * next, in one transaction. Pure.
 */

/** Names of sets and maps, and their elements; a map's are `key : value`. */
export type Elements = ReadonlyMap<string, ReadonlySet<string>>;

export interface RenderedTable {
  /** Of the family `ip`. */
  readonly name: string;
  /** Chains, and declarations of sets and maps. */
  readonly frame: string;
  readonly elements: Elements;
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
    const all = [...after.elements].flatMap(([name, elements]) => add(table, name, elements));
    return [tableRemoval(table), after.frame, ...all].join('\n');
  }
  const changes: string[] = [];
  for (const [name, wanted] of after.elements) {
    const known = before.elements.get(name) ?? new Set();
    changes.push(...remove(table, name, minus(known, wanted)), ...add(table, name, minus(wanted, known)));
  }
  return changes.join('\n');
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
