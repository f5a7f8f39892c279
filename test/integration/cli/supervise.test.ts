import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SupervisedHost } from '../../../cli/host/supervised-host.ts';
import { isAlive, processesRunning, signalProcess } from '../../../cli/supervise/process-table.ts';
import { type Unit, UnitDirectory, type UnitProcess } from '../../../cli/supervise/unit.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { builtPlim } from '../../support/plim.ts';

/** The real `plim supervise` with real processes. */
describe('plim supervise', () => {
  let stateDir: string;
  let directory: UnitDirectory;
  let host: SupervisedHost;

  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'plim-supervise-'));
    directory = new UnitDirectory(stateDir);
    const program = { nodePath: process.execPath, scriptPath: builtPlim() };
    host = new SupervisedHost({ stateDir, clock: systemClock, program, startTimeoutMs: 5_000 });
  });

  afterEach(async () => {
    for (const name of directory.names()) await host.remove(name);
    await host.close();
    rmSync(stateDir, { recursive: true });
  });

  const aSleep = (changes: Partial<Unit> = {}): Unit => ({
    name: 'sleep',
    description: 'sleeps',
    file: '/bin/sleep',
    // No other process of this machine may have the same command line.
    args: [`3600.${process.pid}`],
    environment: {},
    after: [],
    staleFiles: [],
    build: '',
    ...changes,
  });

  function running(name: string): UnitProcess {
    const process = directory.process(name);
    if (!process || !isAlive(process)) throw new Error(`${name} does not run`);
    return process;
  }

  it('starts a unit once, and applying it again changes nothing', async () => {
    expect(await host.apply(aSleep())).toBe('started');
    const first = running('sleep');

    expect(await host.apply(aSleep())).toBe('unchanged');

    expect(running('sleep').pid).toBe(first.pid);
  });

  it('adopts a process of the unit that nobody wrote down, instead of starting a second one', async () => {
    const unit = aSleep();
    const child = spawn(unit.file, unit.args, { detached: true, stdio: 'ignore' });
    child.unref();

    await host.apply(unit);

    expect(running('sleep').pid).toBe(child.pid);
    expect(processesRunning(unit.file, unit.args)).toHaveLength(1);
  });

  it('removes such a process with the unit', async () => {
    const unit = aSleep();
    await host.apply(unit);
    const unknown = spawn(unit.file, unit.args, { detached: true, stdio: 'ignore' });
    unknown.unref();

    await host.remove('sleep');

    expect(processesRunning(unit.file, unit.args)).toEqual([]);
  });

  it('restarts a unit that dies', async () => {
    await host.apply(aSleep());
    const first = running('sleep');

    signalProcess(first, 'SIGKILL');
    await eventually(() => running('sleep').pid !== first.pid);

    expect(isAlive(first)).toBe(false);
  });

  it('restarts a unit whose description changed, and only then', async () => {
    await host.apply(aSleep());
    const first = running('sleep');

    expect(await host.apply(aSleep({ args: ['7200'] }))).toBe('restarted');

    expect(isAlive(first)).toBe(false);
    expect(readFileSync(`/proc/${running('sleep').pid}/cmdline`, 'utf8')).toContain('7200');
  });

  it('killed, leaves its processes alone; the next supervisor adopts and watches them', async () => {
    await host.apply(aSleep());
    const first = running('sleep');
    const supervisor = directory.supervisor();
    if (!supervisor) throw new Error('no supervisor');

    signalProcess(supervisor, 'SIGKILL');
    await eventually(() => !isAlive(supervisor));
    expect(running('sleep').pid).toBe(first.pid);

    expect(await host.apply(aSleep())).toBe('unchanged');
    expect(running('sleep').pid).toBe(first.pid);

    signalProcess(first, 'SIGKILL');
    await eventually(() => running('sleep').pid !== first.pid);
  });

  it('removes a unit for good', async () => {
    await host.apply(aSleep());
    const first = running('sleep');

    await host.remove('sleep');

    expect(isAlive(first)).toBe(false);
    expect(await host.names()).toEqual([]);
  });

  it('removes what a dead predecessor left before it starts the program', async () => {
    const stale = join(stateDir, 'stale.pid');
    const args = ['-c', `test ! -e ${stale} && echo $$ > ${stale} && exec sleep 3600`];
    await host.apply(aSleep({ file: '/bin/sh', args, staleFiles: [stale] }));
    await eventually(() => existsSync(stale));
    const first = running('sleep');

    signalProcess(first, 'SIGKILL');

    await eventually(() => running('sleep').pid !== first.pid);
    await eventually(() => existsSync(stale) && readFileSync(stale, 'utf8').trim() !== '');

    expect(readFileSync(stale, 'utf8').trim()).toBe(String(running('sleep').pid));
  });

  it('says where to look when a program cannot be started', async () => {
    await expect(host.apply(aSleep({ file: '/nonexistent' }))).rejects.toThrow(
      /sleep did not start within 5 s: see .*sleep\.log/,
    );
  });
});
