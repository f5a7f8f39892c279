import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../../runtime/version.ts';

/** A daemon that meets an error of this code which nobody handles, and is told to end a little later. */
const program = (code: string) => `
  import { runUntilTold } from ${JSON.stringify(join(packageRoot(), 'dist/cli/run-daemon.js'))};
  setImmediate(() => { throw Object.assign(new Error('late'), { code: ${JSON.stringify(code)} }); });
  setTimeout(() => process.kill(process.pid, 'SIGTERM'), 100);
  await runUntilTold(async () => {
    const work = setInterval(() => {}, 1_000);
    return { stop: async () => { clearInterval(work); process.stdout.write('stopped in order'); } };
  });
`;

async function run(code: string): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(code)]);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [status] = await once(child, 'close');
  return { status, out, err };
}

it('runUntilTold() outlives the last word of a connection that was given up, and says so', async () => {
  const { status, out, err } = await run('ERR_STREAM_WRITE_AFTER_END');

  expect({ status, out }).toEqual({ status: 0, out: 'stopped in order' });
  expect(err).toContain('an error nobody waited for');
});

it('runUntilTold() ends at once on any other error nobody handles', async () => {
  const { status, out } = await run('EWHATEVER');

  expect({ status, out }).toEqual({ status: 1, out: '' });
});
