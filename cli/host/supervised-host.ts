/** Units under `plim supervise`. */
import { rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { PlimsollError } from '../../runtime/errors.ts';
import { isAlive, processesRunning, terminateProcess } from '../supervise/process-table.ts';
import { ensureSupervisor, stopSupervisor } from '../supervise/start-supervisor.ts';
import { type Unit, UnitDirectory, type UnitProcess } from '../supervise/unit.ts';
import type { UnitChange, UnitHost, UnitHostParts } from './unit-host.ts';

/** As long as docker and systemd give a daemon by default, and then some. */
const STOP_GRACE_MS = 20_000;
/** As long as a round of the supervisor may take. */
const ROUND_MS = 100;

export class SupervisedHost implements UnitHost {
  readonly kind = 'supervisor';
  private readonly directory: UnitDirectory;
  private readonly parts: UnitHostParts;

  constructor(parts: UnitHostParts) {
    this.parts = parts;
    this.directory = new UnitDirectory(parts.stateDir);
  }

  async apply(unit: Unit): Promise<UnitChange> {
    const before = this.liveProcess(unit.name);
    if (!isDeepStrictEqual(this.directory.unit(unit.name), unit)) this.directory.writeUnit(unit);
    await ensureSupervisor(this.parts.stateDir, this.parts.program, this.parts.clock);
    if (before && isDeepStrictEqual(before.unit, unit)) return 'unchanged';
    if (before) await terminateProcess(before, STOP_GRACE_MS, this.parts.clock);
    await this.waitUntilStarted(unit.name);
    return before ? 'restarted' : 'started';
  }

  /** The unit's file goes first, so that the supervisor does not start it again. */
  async remove(name: string): Promise<void> {
    const { clock } = this.parts;
    const unit = this.directory.unit(name);
    this.directory.removeUnit(name);
    const live = this.liveProcess(name);
    if (live) await terminateProcess(live, STOP_GRACE_MS, clock);
    // The supervisor may have begun a round before the file was gone.
    await clock.sleep(ROUND_MS);
    const strays = unit ? processesRunning(unit.file, unit.args) : [];
    await Promise.all(strays.map((stray) => terminateProcess(stray, STOP_GRACE_MS, clock)));
    this.directory.removeProcess(name);
    for (const path of unit?.staleFiles ?? []) rmSync(path, { force: true });
  }

  async processId(name: string): Promise<number | undefined> {
    return this.liveProcess(name)?.pid;
  }

  async names(): Promise<string[]> {
    return this.directory.names();
  }

  logHint(name: string): string {
    return this.directory.logFile(name);
  }

  async close(): Promise<void> {
    await stopSupervisor(this.parts.stateDir, this.parts.clock);
  }

  private liveProcess(name: string): UnitProcess | undefined {
    const recorded = this.directory.process(name);
    return recorded && isAlive(recorded) ? recorded : undefined;
  }

  private async waitUntilStarted(name: string): Promise<void> {
    const { clock, startTimeoutMs } = this.parts;
    const deadlineMs = clock.elapsedMs() + startTimeoutMs;
    while (!this.liveProcess(name)) {
      if (clock.elapsedMs() > deadlineMs) {
        const message = `${name} did not start within ${startTimeoutMs / 1000} s: see ${this.logHint(name)}`;
        throw new PlimsollError('timeout', message);
      }
      await clock.sleep(30);
    }
  }
}
