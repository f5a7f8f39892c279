/** docs/metrics.md read back: which metrics it promises, so that it can be held against the real pages. Pure. */
import type { ExpositionPage } from './exposition-page.ts';

interface DocumentedFamily {
  /** As written; `*` stands for any part of a name. */
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  /** Marked with † in the document: not on every host, or not before something happened. */
  readonly isOptional: boolean;
}

/** Every container's series carry them; the document says so once. */
const identity = /^(id|name|image|container_label_\w+)$/;

/** The rows `| `name` † | type | `label`, `label` | meaning |` of all tables. */
export function documentedFamilies(markdown: string): DocumentedFamily[] {
  return [...markdown.matchAll(/^\| `([\w*]+)`( †)? \| (\w+) \| ([^|]*) \|/gm)].map(
    ([, name = '', mark, type = '', labels = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
      isOptional: mark !== undefined,
    }),
  );
}

/** What is on a page and not, or not so, in the document. */
export function undocumented({ families }: ExpositionPage, documented: readonly DocumentedFamily[]): string[] {
  return [...families].flatMap(([name, { type, labels }]) => {
    // Of prom-client, and told as a whole.
    if (/^(process|nodejs)_/.test(name)) return [];
    const row =
      documented.find((candidate) => candidate.name === name) ??
      documented.find((candidate) => covers(candidate, name));
    if (!row) return [`${name} (${type}): not documented`];
    if (row.type !== type) return [`${name}: documented as ${row.type}, is a ${type}`];
    const isOfContainer = name.includes('container_');
    const more = labels.filter((label) => !row.labels.includes(label) && !(isOfContainer && identity.test(label)));
    return more.length === 0 ? [] : [`${name}: labels ${more.join(', ')} are not documented`];
  });
}

/** What the document promises and no page has. */
export function unseen(pages: readonly ExpositionPage[], documented: readonly DocumentedFamily[]): string[] {
  const names = pages.flatMap(({ families }) => [...families.keys()]);
  return documented
    .filter((row) => !row.isOptional && !names.some((name) => covers(row, name)))
    .map(({ name }) => name);
}

function covers(row: DocumentedFamily, name: string): boolean {
  return new RegExp(`^${row.name.replaceAll('*', '.*')}$`).test(name);
}
