import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot, programVersion } from '../../runtime/version.ts';
import { builtPlim } from '../support/plim.ts';

const run = promisify(execFile);

/** What `npm pack` makes of the build, installed somewhere else. */
describe('the npm package', () => {
  let folder: string;
  let plim: string;

  beforeAll(async () => {
    builtPlim();
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-package-'));
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: packageRoot() });
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
    if (!tarball) throw new Error('npm pack made no tarball');
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball)], {
      cwd: folder,
    });
    plim = join(folder, 'node_modules', '.bin', 'plim');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('brings a plim that runs', async () => {
    expect((await run(plim, ['--version'])).stdout).toBe(`${programVersion()}\n`);
  });

  it('brings what the daemons read beside the code, and no tests', () => {
    const installed = join(folder, 'node_modules', 'plimsoll');

    expect(readdirSync(installed)).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'examples', 'prometheus']));
    expect(readdirSync(join(installed, 'dist'))).not.toContain('test');
  });

  it('can load every daemon', async () => {
    for (const daemon of ['agent', 'coordinator', 'dns']) {
      await expect(run(plim, [daemon, '--port', '99999'])).rejects.toMatchObject({ code: 2 });
    }
  });
});
