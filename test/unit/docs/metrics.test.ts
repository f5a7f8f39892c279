import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { containerMetrics } from '../../../agent/metrics/metric-catalogue.ts';
import { packageRoot } from '../../../runtime/version.ts';
import { parseExposition } from '../../support/exposition-page.ts';
import { documentedFamilies, undocumented, unseen } from '../../support/metrics-document.ts';

const text = readFileSync(join(packageRoot(), 'docs', 'metrics.md'), 'utf8');
const documented = documentedFamilies(text);

it('docs/metrics.md has every container metric, those of other kernels too', () => {
  const page = Object.entries(containerMetrics).map(([name, { type }]) => `# TYPE ${name} ${type}\n${name} 1\n`);
  expect(undocumented(parseExposition(page.join('')), documented)).toEqual([]);
});

it('every row of the tables in docs/metrics.md can be read', () => {
  expect(documented.map(({ name }) => name)).toEqual([...text.matchAll(/^\| `([\w*]+)`/gm)].map(([, name]) => name));
});

it('finds what a page has and the document has not, and the other way round', () => {
  const rows = documentedFamilies(
    '| metric | type | labels | meaning |\n|---|---|---|---|\n| `node_disk_*_total` | counter | `device` | x |\n| `a` † | gauge |  | x |\n| `b` | gauge | `c`, `d` | x |\n',
  );
  const page = parseExposition(
    '# TYPE node_disk_reads_total counter\nnode_disk_reads_total{device="sda",queue="1"} 1\n# TYPE z gauge\nz 1\n# TYPE a counter\na 1\n',
  );
  expect(undocumented(page, rows)).toEqual([
    'node_disk_reads_total: labels queue are not documented',
    'z (gauge): not documented',
    'a: documented as gauge, is a counter',
  ]);
  expect(unseen([page], rows)).toEqual(['b']);
});
