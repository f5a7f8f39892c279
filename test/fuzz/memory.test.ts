/** `npm run fuzz`, shorter: the APIs in a process of their own, whose memory is weighed. The long run is 100,000 requests. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { packageRoot } from '../../runtime/version.ts';

it('20,000 requests nobody should send: no crash, no hang, and memory that stays as it is', async () => {
  const program = join(packageRoot(), 'dist/test/fuzz/main.js');

  const { stdout } = await promisify(execFile)(process.execPath, [program, '--requests', '20000', '--seed', '3']);

  expect(stdout).toContain('20000 requests, 0 complaints');
}, 600_000);
