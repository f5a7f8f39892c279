/** Tells each end of an attempt once, from reports that repeat the last few. */
import type { ExitRecord, StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';

/** Between two leaders nobody looks: what ended in this time before a term may not have been told. */
const MAY_BE_UNTOLD_MS = 60_000;

/** A node may write what it likes into its reports: agents write the last 5 ends, and short sentences. */
const MOST_EXITS = 5;
const MOST_ERROR_CHARACTERS = 1_000;
const MOST_ID_CHARACTERS = 64;

export class ExitNews {
  private readonly sinceMs: number;
  /** The last attempt told of, by the status's key. */
  private readonly told = new Map<string, number>();

  /** `nowMs`: when the term of the leader who tells began, by the wall clock. */
  constructor(nowMs: number) {
    this.sinceMs = nowMs - MAY_BE_UNTOLD_MS;
  }

  /** What is new in a report on an assignment; the ends of a task that was told to stop are none. */
  of(key: string, status: StatusRecord, task: TaskRecord): readonly ExitRecord[] {
    const exits = status.exits.slice(-MOST_EXITS).filter(({ attempt }) => attempt <= status.attempt);
    const last = this.told.get(key);
    const isNew = ({ attempt, finishedAtMs }: ExitRecord) =>
      last === undefined ? finishedAtMs >= this.sinceMs : attempt > last;
    this.told.set(key, Math.max(last ?? 0, ...exits.map(({ attempt }) => attempt)));
    const wasAsked = task.desired === 'stopped';
    return exits.filter((exit) => isNew(exit) && !(wasAsked && exit.state === 'shutdown')).map(inBounds);
  }

  forget(key: string): void {
    this.told.delete(key);
  }
}

function inBounds(exit: ExitRecord): ExitRecord {
  return {
    ...exit,
    containerId: exit.containerId.slice(0, MOST_ID_CHARACTERS),
    error: exit.error.slice(0, MOST_ERROR_CHARACTERS),
  };
}
