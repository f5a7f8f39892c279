/** A unit: a long-running program of this host, as it lies in `<state-dir>/supervisor/<name>.unit.json`. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { PlimsollError } from '../../runtime/errors.ts';
import { needsRoot } from '../require-root.ts';

export const Unit = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  /** One sentence for people. */
  description: z.string(),
  /** Absolute path of the program. */
  file: z.string(),
  args: z.array(z.string()),
  /** Added to the supervisor's own environment. */
  environment: z.record(z.string(), z.string()),
  /** Names of units that should start before this one. */
  after: z.array(z.string()),
  /** Files of a dead predecessor that would keep the program from starting: pid files, sockets. */
  staleFiles: z.array(z.string()),
  /** Changes when the program itself changed though its command line did not; a changed unit is restarted. */
  build: z.string(),
});
export type Unit = z.infer<typeof Unit>;

/** A process, told apart from a later one with the same number by when it started. */
export const ProcessIdentity = z.object({
  pid: z.int().positive(),
  /** Clock ticks since boot, field 22 of /proc/<pid>/stat. */
  startTicks: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** The running process of a unit, in `<name>.process.json`; `unit` is what it was started from. */
export const UnitProcess = ProcessIdentity.extend({ unit: Unit });
export type UnitProcess = z.infer<typeof UnitProcess>;

const UNIT_SUFFIX = '.unit.json';

/** The files of one host's units. */
export class UnitDirectory {
  readonly path: string;
  private readonly logPath: string;

  constructor(stateDir: string) {
    this.path = join(stateDir, 'supervisor');
    this.logPath = join(stateDir, 'log');
  }

  /** Names of all units, sorted. */
  names(): string[] {
    return readdirOrNothing(this.path)
      .filter((name) => name.endsWith(UNIT_SUFFIX))
      .map((name) => name.slice(0, -UNIT_SUFFIX.length))
      .sort();
  }

  unit(name: string): Unit | undefined {
    return readRecord(this.file(`${name}${UNIT_SUFFIX}`), Unit);
  }

  process(name: string): UnitProcess | undefined {
    return readRecord(this.file(`${name}.process.json`), UnitProcess);
  }

  /** The supervisor of this directory, if one ever ran; it may be dead. */
  supervisor(): ProcessIdentity | undefined {
    return readRecord(this.file('supervisor.process.json'), ProcessIdentity);
  }

  writeUnit(unit: Unit): void {
    writeRecord(this.file(`${unit.name}${UNIT_SUFFIX}`), unit);
  }

  writeProcess(name: string, process: UnitProcess): void {
    writeRecord(this.file(`${name}.process.json`), process);
  }

  writeSupervisor(identity: ProcessIdentity): void {
    writeRecord(this.file('supervisor.process.json'), identity);
  }

  removeUnit(name: string): void {
    rmSync(this.file(`${name}${UNIT_SUFFIX}`), { force: true });
  }

  removeProcess(name: string): void {
    rmSync(this.file(`${name}.process.json`), { force: true });
  }

  logFile(name: string): string {
    mkdirSync(this.logPath, { recursive: true, mode: 0o700 });
    return join(this.logPath, `${name}.log`);
  }

  private file(name: string): string {
    return join(this.path, name);
  }
}

function readdirOrNothing(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isMissing(error)) return [];
    if (isForbidden(error)) throw needsRoot(`read ${path}`, error);
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EACCES';
}

/** Undefined when the file does not exist. Throws `internal` when it is there and damaged. */
function readRecord<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (isForbidden(error)) throw needsRoot(`read ${path}`, error);
    throw new PlimsollError('internal', `Cannot read ${path}: it is damaged. Remove it and run the command again`, {
      cause: error,
    });
  }
}

/** Whole or not at all: a reader never sees half of it, and it survives a power cut. */
function writeRecord(path: string, record: unknown): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.${process.pid}.partial`;
  const file = openSync(partial, 'w', 0o600);
  try {
    writeSync(file, `${JSON.stringify(record, null, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
}
