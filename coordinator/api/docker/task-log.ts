/** The log lines of one task, asked of the node it is on. Lines always come with their time: that is how to go on after a break. */
import type { Bus } from '../../../bus/bus.ts';
import type { LogsRequest } from '../../../model/messages.ts';
import { type LogFrame, readFrames } from './log-frames.ts';

/** A task that may have logs, and how its lines are shown. */
export interface LogSource {
  readonly taskId: string;
  /** The attempt that runs: what clients know as the task's id. */
  readonly shownTaskId: string;
  readonly serviceId: string;
  readonly nodeId: string;
  /** Its container has a terminal: bytes without frames. */
  readonly tty: boolean;
}

export interface LogLine {
  readonly stream: number;
  /** RFC 3339 with nanoseconds: sorts as text. */
  readonly timestamp: string;
  /** With its line feed. */
  readonly text: Buffer;
}

export type LogsQuery = Omit<LogsRequest, 'taskId' | 'timestamps'>;

const SPACE = 0x20;
const LINE_FEED = 0x0a;

/** Lines after `afterTimestamp` only, where one is given. Ends with the log, or, followed, with the container. */
export async function* taskLogLines(
  bus: Pick<Bus, 'askNodeStream'>,
  source: LogSource,
  query: LogsQuery,
  afterTimestamp: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const request = { ...query, taskId: source.taskId, timestamps: true } satisfies LogsRequest;
  const frames = readFrames(bus.askNodeStream(source.nodeId, 'logs', request, signal));
  for await (const frame of source.tty ? splitLines(frames) : frames) {
    const line = readLine(frame);
    if (afterTimestamp === undefined || line.timestamp > afterTimestamp) yield line;
  }
}

function readLine({ stream, payload }: LogFrame): LogLine {
  const space = payload.indexOf(SPACE);
  return { stream, timestamp: payload.toString('latin1', 0, Math.max(0, space)), text: payload.subarray(space + 1) };
}

/** A terminal's bytes are framed as they came, not by line. */
async function* splitLines(frames: AsyncIterable<LogFrame>): AsyncGenerator<LogFrame> {
  let rest = Buffer.alloc(0);
  for await (const { stream, payload } of frames) {
    rest = Buffer.concat([rest, payload]);
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      yield { stream, payload: rest.subarray(0, end + 1) };
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield { stream: 1, payload: rest };
}
