/** `npm run dashboards`: writes the dashboards' JSON anew. Commit what it writes: a test compares. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allBoards } from './all-boards.ts';
import { dashboardFile, dashboardsDirectory } from './dashboard-files.ts';

mkdirSync(dashboardsDirectory, { recursive: true });
const files = allBoards.map(dashboardFile);
const names = new Set(files.map(({ name }) => name));
for (const name of readdirSync(dashboardsDirectory)) if (!names.has(name)) rmSync(join(dashboardsDirectory, name));
for (const { name, content } of files) writeFileSync(join(dashboardsDirectory, name), content);
process.stdout.write(`${files.length} dashboards in ${dashboardsDirectory}\n`);
