/** The running `plim` itself: where it lies and which build it is. */
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, programVersion } from '../../runtime/version.ts';
import type { PlimProgram } from '../supervise/start-supervisor.ts';

/** By its real path: a link in /usr/local/bin may be changed while daemons run. */
export function currentPlim(): PlimProgram {
  return {
    nodePath: process.execPath,
    scriptPath: realpathSync(process.argv[1] ?? join(packageRoot(), 'dist/cli/plim.js')),
  };
}

/** Changes with the version, and in a clone with every build. */
export function currentBuild(): string {
  const stamp = statSync(join(packageRoot(), 'dist', '.built'), { throwIfNoEntry: false });
  return stamp ? `${programVersion()}+${Math.round(stamp.mtimeMs)}` : programVersion();
}
