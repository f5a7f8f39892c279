/** Starting and stopping the supervisor process of a state directory. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { isAlive, terminateProcess } from './process-table.ts';
import { UnitDirectory } from './unit.ts';

const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 5_000;

/** Where the running `plim` lies, to start further processes of it. */
export interface PlimProgram {
  readonly nodePath: string;
  readonly scriptPath: string;
}

export function supervisorIsAlive(stateDir: string): boolean {
  const identity = new UnitDirectory(stateDir).supervisor();
  return identity !== undefined && isAlive(identity);
}

/** Makes sure a supervisor runs for `stateDir`; resolves when it has written its pid file. True if it was started. */
export async function ensureSupervisor(stateDir: string, program: PlimProgram, clock: Clock): Promise<boolean> {
  if (supervisorIsAlive(stateDir)) return false;
  const logPath = new UnitDirectory(stateDir).logFile('supervisor');
  spawnSupervisor(stateDir, program, logPath);
  const deadlineMs = clock.elapsedMs() + START_TIMEOUT_MS;
  while (!supervisorIsAlive(stateDir)) {
    if (clock.elapsedMs() > deadlineMs) {
      const waitedS = START_TIMEOUT_MS / 1000;
      throw new PlimsollError('timeout', `The supervisor did not start within ${waitedS} s: see ${logPath}`);
    }
    await clock.sleep(30);
  }
  return true;
}

function spawnSupervisor(stateDir: string, program: PlimProgram, logPath: string): void {
  const logFile = openSync(logPath, 'a', 0o600);
  const child = spawn(program.nodePath, [program.scriptPath, 'supervise', '--state-dir', stateDir], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', logFile, logFile],
  });
  child.unref();
  closeSync(logFile);
}

/** Stops the supervisor; what it started keeps running. */
export async function stopSupervisor(stateDir: string, clock: Clock): Promise<void> {
  const identity = new UnitDirectory(stateDir).supervisor();
  if (identity) await terminateProcess(identity, STOP_GRACE_MS, clock);
}
