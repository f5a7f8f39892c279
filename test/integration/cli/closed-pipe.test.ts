import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../../runtime/version.ts';

it('plim ends quietly when its reader has closed the pipe', async () => {
  const plim = spawn(process.execPath, [join(packageRoot(), 'dist/cli/plim.js'), '--help']);
  plim.stdout.destroy();
  let complaints = '';
  plim.stderr.on('data', (chunk) => {
    complaints += chunk;
  });

  await once(plim, 'close');

  expect(complaints).toBe('');
});
