/** The built `plim`, for tests that run it as a process. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/version.ts';

/** The one the lab runs: LAB_PLIM, or what "npm run build" made. */
export function builtPlim(): string {
  const path = process.env['LAB_PLIM'] ?? join(packageRoot(), 'dist', 'cli', 'plim.js');
  if (!existsSync(path)) throw new Error(`${path} is not there: run "npm run build" first`);
  return path;
}
