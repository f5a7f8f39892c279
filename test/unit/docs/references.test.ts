/** Pages of decisions are numbered without gaps or doubles, and what documents refer to is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../../runtime/version.ts';

const root = packageRoot();
const decisions = readdirSync(join(root, 'docs', 'decisions')).sort();
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');

it('decisions are numbered from 1 on, in their names and titles', () => {
  expect(decisions.map((page) => Number(page.slice(0, 4)))).toEqual(decisions.map((_, index) => index + 1));
  for (const [index, page] of decisions.entries()) {
    expect(textOf(`docs/decisions/${page}`)).toMatch(new RegExp(`^# ${index + 1}\\. `));
  }
});

const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  ...decisions.map((page) => `docs/decisions/${page}`),
];

it.each(documents)('%s refers to what is there', (document) => {
  const text = textOf(document);
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, to = '']) =>
    join(root, dirname(document), to),
  );
  const pages = [...text.matchAll(/decisions\/(\d{4}-[\w-]+\.md)/g)].map(([, page = '']) =>
    join(root, 'docs', 'decisions', page),
  );
  expect([...links, ...pages].filter((path) => !existsSync(path))).toEqual([]);
});
