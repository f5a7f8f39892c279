import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../../runtime/version.ts';
import { incidentSections, incidents } from '../../e2e/incidents/document.ts';

/** What the table must have, each by words of its name. */
const wanted = [
  'no such image',
  'wants credentials',
  'asked too often',
  'has the memory',
  'has the processors',
  'constraint is misspelt',
  'on the host holds its port',
  'hold its port on every node',
  'health check fails',
  'health check calls a program that is not there',
  'exits at once',
  'more memory than its limit',
  'node is lost',
  'is drained',
  'is paused',
  'was cut off',
  'update is paused',
  'update is stuck',
  'update is rolled back',
  'what it would be rolled back to is gone',
  'as often as its restart policy allows',
  'secret is not there',
  'config that is in use',
  'node with its volume is lost',
  'as many replicas as may be',
  'engine of its node is frozen',
  'disk is full',
];

it('the table of incidents has every one it must have, and thirty at least', () => {
  const missing = wanted.filter((words) => !incidents.some(({ name }) => name.includes(words)));
  expect(missing).toEqual([]);
  expect(incidents.length).toBeGreaterThanOrEqual(30);
  expect(new Set(incidents.map(({ service }) => service)).size).toBe(incidents.length);
});

it('docs/incidents.md shows the table the tests check', () => {
  const document = readFileSync(join(packageRoot(), 'docs', 'incidents.md'), 'utf8');
  expect(document.slice(document.indexOf('###'))).toBe(incidentSections());
});
