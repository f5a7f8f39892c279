/** The kernel's processes by identity, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import type { ProcessIdentity } from './unit.ts';

/** Who runs under this number now; undefined if nobody does, or only a dead child nobody has waited for. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name in field 2 may hold anything, spaces and brackets included: count from its last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
  return { pid, startTicks };
}

/** Processes that run this very command line, however they came to be. */
export function processesRunning(file: string, args: readonly string[]): ProcessIdentity[] {
  const wanted = [file, ...args].map((word) => `${word}\0`).join('');
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => commandLine(pid) === wanted).flatMap((pid) => identifyProcess(Number(pid)) ?? []);
}

function commandLine(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return undefined;
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTicks === identity.startTicks;
}

/** Sends a signal to that very process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}

/** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
export async function terminateProcess(identity: ProcessIdentity, graceMs: number, clock: Clock): Promise<void> {
  signalProcess(identity, 'SIGTERM');
  const deadlineMs = clock.elapsedMs() + graceMs;
  while (isAlive(identity)) {
    if (clock.elapsedMs() > deadlineMs) signalProcess(identity, 'SIGKILL');
    await clock.sleep(50);
  }
}
