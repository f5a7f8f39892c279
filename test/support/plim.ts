/** The built `plim`, for tests that run it as a process. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/version.ts';

export function builtPlim(): string {
  const path = join(packageRoot(), 'dist', 'cli', 'plim.js');
  if (!existsSync(path)) throw new Error(`${path} is not there: run "npm run build" first`);
  return path;
}
