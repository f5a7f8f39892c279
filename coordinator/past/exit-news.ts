/** Tells each end of an attempt once, from reports that repeat the last few. */
import type { ExitRecord, StatusRecord, TaskRecord } from '../../model/records.ts';

/** Between two leaders nobody looks: what ended in this time before a term may not have been told. */
const MAY_BE_UNTOLD_MS = 60_000;

export class ExitNews {
  private readonly sinceMs: number;
  /** The last attempt told of, by the status's key. */
  private readonly told = new Map<string, number>();

  /** `nowMs`: when the term of the leader who tells began, by the wall clock. */
  constructor(nowMs: number) {
    this.sinceMs = nowMs - MAY_BE_UNTOLD_MS;
  }

  /** What is new in a report; the ends of a task that was told to stop are none. */
  of(key: string, status: StatusRecord | undefined, task: TaskRecord | undefined): readonly ExitRecord[] {
    if (!status) {
      this.told.delete(key);
      return [];
    }
    const last = this.told.get(key);
    const isNew = ({ attempt, finishedAtMs }: ExitRecord) =>
      last === undefined ? finishedAtMs >= this.sinceMs : attempt > last;
    this.told.set(key, Math.max(last ?? 0, ...status.exits.map(({ attempt }) => attempt)));
    const wasAsked = task?.desired === 'stopped';
    return status.exits.filter((exit) => isNew(exit) && !(wasAsked && exit.state === 'shutdown'));
  }
}
