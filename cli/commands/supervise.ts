/** `plim supervise`: keeps Plimsoll's programs running where there is no systemd. */
import type { Command } from 'commander';
import { systemClock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { terminationSignal } from '../../runtime/lifecycle.ts';
import { createLog } from '../../runtime/log.ts';
import { addStateDirOption, commonSettings } from '../settings.ts';
import { identifyProcess, isAlive } from '../supervise/process-table.ts';
import { Supervisor } from '../supervise/supervisor.ts';
import { UnitDirectory } from '../supervise/unit.ts';

const CLAIM_SETTLE_MS = 50;

export function addSuperviseCommand(program: Command): void {
  const command = program
    .command('supervise')
    .description("start this host's programs and restart those that die; for hosts without systemd");
  addStateDirOption(command).action(async (_flags: unknown, given: Command) => {
    const directory = new UnitDirectory(commonSettings(given).stateDir);
    await claim(directory);
    const stopping = new AbortController();
    const running = new Supervisor(directory, systemClock, createLog('supervise', 'info')).run(stopping.signal);
    await terminationSignal();
    stopping.abort();
    await running;
  });
}

/** One supervisor per state directory: two would start everything twice. */
async function claim(directory: UnitDirectory): Promise<void> {
  const other = directory.supervisor();
  if (other && isAlive(other)) throw alreadyRuns(other.pid);
  const own = identifyProcess(process.pid);
  if (!own) throw new PlimsollError('internal', 'Cannot find this process in /proc: is /proc mounted?');
  directory.writeSupervisor(own);
  // Of two that start at the same moment the later writer stays.
  await systemClock.sleep(CLAIM_SETTLE_MS);
  const holder = directory.supervisor();
  if (holder && holder.pid !== own.pid) throw alreadyRuns(holder.pid);
}

function alreadyRuns(pid: number): PlimsollError {
  return new PlimsollError('conflict', `A supervisor runs here already: process ${pid}`);
}
