/**
 * The supervisor for hosts without systemd: starts the units of a directory and restarts those that die. Its processes
 * are in sessions of their own and outlive it; the next supervisor adopts them by process id and start time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Poke, runLoop } from '../../runtime/loop.ts';
import { limitLogFile } from './log-files.ts';
import { failuresAfter, type ObservedUnit, unitsToStart } from './plan.ts';
import { identifyProcess, isAlive, processesRunning } from './process-table.ts';
import type { Unit, UnitDirectory } from './unit.ts';

/** How often adopted processes are looked at: nobody tells us when they end. */
const POLL_MS = 200;
const MAX_LOG_BYTES = 20 * 1024 * 1024;

interface Memory {
  failures: number;
  startedAtMs: number;
  endedAtMs: number | undefined;
  wasAlive: boolean;
}

export class Supervisor {
  private readonly memories = new Map<string, Memory>();
  private readonly poke = new Poke();
  private readonly directory: UnitDirectory;
  private readonly clock: Clock;
  private readonly log: Log;

  constructor(directory: UnitDirectory, clock: Clock, log: Log) {
    this.directory = directory;
    this.clock = clock;
    this.log = log;
  }

  /** Runs until the signal aborts; the processes stay. */
  run(signal: AbortSignal): Promise<void> {
    return runLoop(
      {
        tick: async () => this.tick(),
        poke: this.poke,
        times: { minGapMs: 20, resyncMs: POLL_MS, retryMs: POLL_MS },
        clock: this.clock,
        onError: (error) => this.log.error({ error: messageOf(error) }, 'supervision round failed'),
      },
      signal,
    );
  }

  private tick(): void {
    const observed = this.directory.names().flatMap((name) => this.observe(name) ?? []);
    for (const name of unitsToStart(observed, this.clock.elapsedMs())) {
      const unit = observed.find((each) => each.unit.name === name)?.unit;
      if (unit) this.start(unit);
    }
  }

  private observe(name: string): ObservedUnit | undefined {
    const unit = this.directory.unit(name);
    if (!unit) return undefined;
    limitLogFile(this.directory.logFile(name), MAX_LOG_BYTES);
    const recorded = this.directory.process(name);
    const alive = (recorded !== undefined && isAlive(recorded)) || this.adoptUnrecorded(unit);
    const memory = this.remember(name, alive);
    return { unit, alive, failures: memory.failures, endedAtMs: memory.endedAtMs };
  }

  /** A supervisor killed between starting a process and writing that down leaves one nobody knows: it is the unit's. */
  private adoptUnrecorded(unit: Unit): boolean {
    const [found] = processesRunning(unit.file, unit.args);
    if (!found) return false;
    this.directory.writeProcess(unit.name, { ...found, unit });
    this.log.warn({ unit: unit.name, pid: found.pid }, 'a process nobody had written down runs this unit: adopted');
    return true;
  }

  private remember(name: string, alive: boolean): Memory {
    const nowMs = this.clock.elapsedMs();
    const memory = this.memories.get(name) ?? {
      failures: 0,
      startedAtMs: nowMs,
      endedAtMs: undefined,
      wasAlive: alive,
    };
    this.memories.set(name, memory);
    if (memory.wasAlive && !alive) this.noteEnd(name, memory);
    if (alive && !memory.wasAlive) memory.startedAtMs = nowMs;
    memory.wasAlive = alive;
    return memory;
  }

  private noteEnd(name: string, memory: Memory): void {
    memory.endedAtMs = this.clock.elapsedMs();
    memory.failures = failuresAfter(memory.failures, memory.endedAtMs - memory.startedAtMs);
    this.log.warn({ unit: name, failures: memory.failures }, 'a unit ended, it is started again');
  }

  private start(unit: Unit): void {
    for (const path of unit.staleFiles) rmSync(path, { force: true });
    const child = this.spawnDetached(unit);
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    if (!identity) return this.noteFailedStart(unit.name);
    this.directory.writeProcess(unit.name, { ...identity, unit });
    this.remember(unit.name, true);
    this.log.info({ unit: unit.name, pid: identity.pid }, 'unit started');
  }

  private spawnDetached(unit: Unit): ChildProcess {
    const logFile = openSync(this.directory.logFile(unit.name), 'a', 0o600);
    try {
      const child = spawn(unit.file, unit.args, {
        detached: true,
        cwd: '/',
        env: { ...process.env, ...unit.environment },
        stdio: ['ignore', logFile, logFile],
      });
      child.on('error', (error) => this.log.error({ unit: unit.name, error: error.message }, 'cannot start a unit'));
      child.on('exit', () => this.poke.poke());
      child.unref();
      return child;
    } finally {
      closeSync(logFile);
    }
  }

  private noteFailedStart(name: string): void {
    const memory = this.remember(name, false);
    memory.startedAtMs = this.clock.elapsedMs();
    this.noteEnd(name, memory);
  }
}
