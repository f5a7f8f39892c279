/** Which unit host this machine has. */
import { existsSync } from 'node:fs';
import { systemClock } from '../../runtime/clock.ts';
import { DEFAULT_STATE_DIR } from '../settings.ts';
import { currentPlim } from './plim-program.ts';
import { SupervisedHost } from './supervised-host.ts';
import { SystemdHost } from './systemd-host.ts';
import type { UnitHost } from './unit-host.ts';

const START_TIMEOUT_MS = 15_000;

export function isSystemdHost(): boolean {
  return existsSync('/run/systemd/system');
}

/** Units of the standard state directory are systemd's where it runs; any other directory is a trial or a test. */
export function unitHostOf(stateDir: string): UnitHost {
  return isSystemdHost() && stateDir === DEFAULT_STATE_DIR ? new SystemdHost() : supervisedHostOf(stateDir);
}

/** Under `plim supervise`, whatever else the machine has. */
export function supervisedHostOf(stateDir: string): SupervisedHost {
  return new SupervisedHost({ stateDir, program: currentPlim(), clock: systemClock, startTimeoutMs: START_TIMEOUT_MS });
}
