/** The logs of many tasks as one stream. A node that does not answer delays nobody: it is named, and left out. */
import type { Bus } from '../../../bus/bus.ts';
import { type Clock, withDeadline } from '../../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../../runtime/errors.ts';
import type { Log } from '../../../runtime/log.ts';
import type { LogLine, LogSource, LogsQuery } from './task-log.ts';
import { taskLogLines } from './task-log.ts';

/** How long a node may keep an unfollowed log waiting for its next line. */
const SILENCE_MS = 5_000;
/** How often a followed stream looks for new tasks and for nodes that went away. */
const LOOK_MS = 500;
const PARALLEL_LOGS = 16;

export interface LogStreamParts {
  readonly bus: Pick<Bus, 'askNodeStream'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The tasks to read now; undefined when what they belong to is gone. */
  readonly sources: () => readonly LogSource[] | undefined;
  readonly isNodeUp: (nodeId: string) => boolean;
  /** Takes a line; resolves when the client has room for more. */
  readonly write: (source: LogSource, line: LogLine) => Promise<void>;
}

/** Reads every source to its end. Answers sentences about what could not be read. */
export async function readLogs(parts: LogStreamParts, query: LogsQuery, signal: AbortSignal): Promise<string[]> {
  const waiting = [...(parts.sources() ?? [])];
  const missing = new Set<string>();
  const worker = async () => {
    for (let source = waiting.shift(); source !== undefined && !signal.aborted; source = waiting.shift()) {
      const problem = await readOne(parts, source, query, signal);
      if (problem !== undefined) missing.add(problem);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_LOGS }, worker));
  return [...missing];
}

async function readOne(
  parts: LogStreamParts,
  source: LogSource,
  query: LogsQuery,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!parts.isNodeUp(source.nodeId)) return `node ${source.nodeId} is not available`;
  const reading = new AbortController();
  const either = AbortSignal.any([signal, reading.signal]);
  const lines = taskLogLines(parts.bus, source, query, undefined, either);
  try {
    for (;;) {
      const next = await withDeadline(parts.clock, SILENCE_MS, lines.next(), () => nodeSilent(source.nodeId));
      if (next.done) return undefined;
      await parts.write(source, next.value);
    }
  } catch (error) {
    if (signal.aborted || isNotFound(error)) return undefined;
    return messageOf(error);
  } finally {
    reading.abort();
  }
}

/** Reads and goes on reading, with tasks that come later and attempts that follow, until the sources are gone or the signal. */
export async function followLogs(parts: LogStreamParts, query: LogsQuery, signal: AbortSignal): Promise<void> {
  const readers = new Map<string, TaskReader>();
  try {
    for (let sources = parts.sources(); sources !== undefined && !signal.aborted; sources = parts.sources()) {
      const wanted = new Set(sources.map((source) => source.taskId));
      for (const [taskId, reader] of readers) {
        if (wanted.has(taskId) && parts.isNodeUp(reader.nodeId)) continue;
        reader.stop();
        if (!wanted.has(taskId)) readers.delete(taskId);
      }
      for (const source of sources) {
        if (!parts.isNodeUp(source.nodeId)) continue;
        const reader = readers.get(source.taskId) ?? new TaskReader(parts, query, source.nodeId);
        readers.set(source.taskId, reader);
        reader.ensureReading(source, signal);
      }
      await parts.clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  } finally {
    for (const reader of readers.values()) reader.stop();
  }
}

/** Follows one task over its attempts and over broken connections, without repeating a line. */
class TaskReader {
  readonly nodeId: string;
  private readonly parts: LogStreamParts;
  private readonly query: LogsQuery;
  private reading: AbortController | undefined;
  private lastTimestamp: string | undefined;
  private endedAttempt: string | undefined;

  constructor(parts: LogStreamParts, query: LogsQuery, nodeId: string) {
    this.parts = parts;
    this.query = query;
    this.nodeId = nodeId;
  }

  /** Starts reading unless it reads already or the attempt's log has ended. */
  ensureReading(source: LogSource, signal: AbortSignal): void {
    if (this.reading !== undefined || this.endedAttempt === source.shownTaskId) return;
    const reading = new AbortController();
    this.reading = reading;
    void this.read(source, AbortSignal.any([signal, reading.signal])).finally(() => {
      if (this.reading === reading) this.reading = undefined;
    });
  }

  stop(): void {
    this.reading?.abort();
    this.reading = undefined;
  }

  private async read(source: LogSource, signal: AbortSignal): Promise<void> {
    try {
      for await (const line of taskLogLines(this.parts.bus, source, this.nextQuery(), this.lastTimestamp, signal)) {
        this.lastTimestamp = line.timestamp;
        await this.parts.write(source, line);
      }
      this.endedAttempt = source.shownTaskId;
    } catch (error) {
      if (signal.aborted || isNotFound(error)) return;
      const { taskId, nodeId } = source;
      this.parts.log.debug({ taskId, nodeId, error: messageOf(error) }, 'a followed log broke off and is opened again');
    }
  }

  /** After a break: everything since the last line, to the second; repeated lines are left out by their time. */
  private nextQuery(): LogsQuery {
    if (this.lastTimestamp === undefined) return this.query;
    return { ...this.query, tail: 'all', sinceSeconds: Math.floor(Date.parse(this.lastTimestamp) / 1000) };
  }
}

const isNotFound = (error: unknown): boolean => error instanceof PlimsollError && error.code === 'not-found';

function nodeSilent(nodeId: string): PlimsollError {
  return new PlimsollError('timeout', `node ${nodeId} sent nothing for ${SILENCE_MS} ms`);
}
