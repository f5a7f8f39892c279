/** The tables of labels in docs/operations.md have every label services may have, and no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkServiceLabels } from '../../../coordinator/wishes/service-labels.ts';
import { packageRoot } from '../../../runtime/version.ts';
import { aSpec } from '../../support/snapshots.ts';

/** Those the refusal of an unknown one lists. */
function knownLabels(): string[] {
  try {
    checkServiceLabels(aSpec({ Labels: { 'plimsoll.nonsense': '' } }));
  } catch (error) {
    return String(error).split('; known: ')[1]?.split(', ') ?? [];
  }
  return [];
}

/** Those in the first cells of tables: `plimsoll.` names with a dot are labels, metrics have underscores. */
function documentedLabels(text: string): string[] {
  const firstCells = text.split('\n').map((line) => /^\| ([^|]*) \|/.exec(line)?.[1] ?? '');
  return firstCells.flatMap((cell) => [...cell.matchAll(/`(plimsoll\.[a-z.-]+)`/g)].map(([, label = '']) => label));
}

it('docs/operations.md has every label of services, and no other, once', () => {
  const known = knownLabels();
  expect(known).toContain('plimsoll.readiness');
  const documented = documentedLabels(readFileSync(join(packageRoot(), 'docs', 'operations.md'), 'utf8'));
  expect(documented.sort()).toEqual(known.sort());
});
