import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { allBoards } from '../../../dashboards/all-boards.ts';
import { dashboardFile, dashboardsDirectory } from '../../../dashboards/dashboard-files.ts';

const files = allBoards.map(dashboardFile);

it.each(files)('$name is what its source makes (else: npm run dashboards)', ({ name, content }) => {
  const path = join(dashboardsDirectory, name);
  expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(content);
});

it('has no file without a source', () => {
  expect(readdirSync(dashboardsDirectory).toSorted()).toEqual(files.map(({ name }) => name).toSorted());
});
