/** A coordinator process of a benchmark. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { allocatorEnvironment, nodeOptions } from '../../../cli/host/units.ts';
import { builtPlim } from '../../support/plim.ts';
import { probedEnvironment } from '../probe/probe.ts';

/** Where its Docker API is. */
export function socketIn(stateDir: string): string {
  return join(stateDir, 'docker.sock');
}

/** As a user starts it, with the probe in it. */
export function startCoordinator(stateDir: string, port: number, probeSocket: string): ChildProcess {
  const places = ['--state-dir', stateDir, '--socket', socketIn(stateDir), '--port', String(port)];
  const args = [
    ...nodeOptions.coordinator,
    builtPlim(),
    'coordinator',
    ...places,
    '--advertise',
    '127.0.0.1',
    '--log-level',
    'error',
  ];
  // The server is there: named to the coordinator too, it would be kept running by a supervisor that nobody ends.
  const { PLIMSOLL_NATS_SERVER: _, ...environment } = process.env;
  const env = { ...environment, ...allocatorEnvironment, ...probedEnvironment(probeSocket) };
  return spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Resolves when the process is gone. */
export async function endCoordinator(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
