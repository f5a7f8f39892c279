/** A container's logs as Docker's multiplexed frames; the plain bytes of a terminal are framed as standard output. */
import { z } from 'zod';
import type { LogsOptions } from './engine.ts';
import type { EngineCalls } from './engine-calls.ts';

const CONNECT_MS = 10_000;
const STDOUT = 1;
const TtyReply = z.object({ Config: z.object({ Tty: z.boolean() }) });

export async function* streamLogs(
  calls: EngineCalls,
  containerId: string,
  options: LogsOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const path = `/containers/${containerId}`;
  const { Config } = await calls.call({ method: 'GET', path: `${path}/json`, deadlineMs: CONNECT_MS }, TtyReply);
  const query = logsQuery(options);
  const stream = await calls.stream({ method: 'GET', path: `${path}/logs`, query, deadlineMs: CONNECT_MS, signal });
  try {
    for await (const chunk of stream) yield Config.Tty ? framed(chunk) : chunk;
  } finally {
    stream.destroy();
  }
}

function logsQuery(options: LogsOptions): Record<string, string> {
  return {
    follow: options.follow ? '1' : '0',
    stdout: options.stdout ? '1' : '0',
    stderr: options.stderr ? '1' : '0',
    timestamps: options.timestamps ? '1' : '0',
    since: String(options.sinceSeconds),
    ...(options.untilSeconds > 0 && { until: String(options.untilSeconds) }),
    tail: String(options.tail),
  };
}

function framed(chunk: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(8 + chunk.length);
  frame.writeUInt8(STDOUT, 0);
  frame.writeUInt32BE(chunk.length, 4);
  frame.set(chunk, 8);
  return frame;
}
