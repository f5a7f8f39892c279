/** What keeps Plimsoll's programs running on a host: systemd where it is PID 1, else our own supervisor. */
import type { Clock } from '../../runtime/clock.ts';
import type { PlimProgram } from '../supervise/start-supervisor.ts';
import type { Unit } from '../supervise/unit.ts';

export type UnitChange = 'unchanged' | 'started' | 'restarted';

export interface UnitHost {
  /** "systemd" or "supervisor": for people. */
  readonly kind: string;
  /** Makes the unit run as described: starts it, or restarts it if it runs from another description. */
  apply(unit: Unit): Promise<UnitChange>;
  /** Stops the unit and forgets it. No error if there is none. */
  remove(name: string): Promise<void>;
  /** The number of the unit's process; undefined while it has none. */
  processId(name: string): Promise<number | undefined>;
  /** Names of our units on this host. */
  names(): Promise<string[]>;
  /** Where to read the unit's output. */
  logHint(name: string): string;
  /** After the last unit was removed. */
  close(): Promise<void>;
}

export interface UnitHostParts {
  readonly stateDir: string;
  readonly program: PlimProgram;
  readonly clock: Clock;
  /** How long a unit's process may take to come up. */
  readonly startTimeoutMs: number;
}
