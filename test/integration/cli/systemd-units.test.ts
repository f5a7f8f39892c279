/** Our unit files as systemd itself reads them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemdUnitText } from '../../../cli/host/systemd-host.ts';
import { agentUnit, coordinatorUnit, type HostLayout, natsUnit, prometheusUnit } from '../../../cli/host/units.ts';
import type { Unit } from '../../../cli/supervise/unit.ts';

const run = promisify(execFile);
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'plimsoll-systemd-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const host: HostLayout = {
  program: { nodePath: process.execPath, scriptPath: '/opt/100% plimsoll/$HOME/plim.js' },
  build: '0.1.0',
  stateDir: '/var/lib/plimsoll',
  socket: '/run/plimsoll/docker.sock',
  address: '192.0.2.1',
  docker: 'unix:///var/run/docker.sock',
};

/** What systemd complains of; nothing if it understands all of it. */
async function complaints(units: readonly Unit[]): Promise<string> {
  const files = units.map((unit) => join(directory, `plimsoll-${unit.name}.service`));
  for (const [index, unit] of units.entries()) writeFileSync(String(files[index]), systemdUnitText(unit));
  const verified = run('systemd-analyze', ['verify', '--man=no', ...files]);
  const { stderr } = await verified.catch((error: { stderr: string }) => error);
  return stderr;
}

it('has nothing in them that systemd does not understand', async () => {
  const file = process.execPath;
  const prometheus = { file, stateDir: host.stateDir, listen: '127.0.0.1:9090', build: 'b1' };
  const nats = natsUnit({ file, args: ['-c', '/var/lib/plimsoll/nats/nats.conf'] }, '2.15');

  expect(await complaints([nats, coordinatorUnit(host), agentUnit(host), prometheusUnit(prometheus)])).toBe('');
});

it('names a program that is not there', async () => {
  const unit = natsUnit({ file: join(directory, 'no-nats'), args: [] }, '2.15');

  expect(await complaints([unit])).toContain('no-nats is not executable');
});
