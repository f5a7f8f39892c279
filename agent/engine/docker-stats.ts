/** A container's resource usage as the engine itself tells it: JSON objects, one a second or one only. */
import type { StatsOptions } from './engine.ts';
import type { EngineCalls } from './engine-calls.ts';

/** An engine measures for two seconds before it answers a request that is not streamed. */
const ANSWER_MS = 10_000;

export async function* streamStats(
  calls: EngineCalls,
  idOrName: string,
  { stream, oneShot }: StatsOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const path = `/containers/${encodeURIComponent(idOrName)}/stats`;
  const query = { stream: stream ? '1' : '0', 'one-shot': oneShot ? '1' : '0' };
  const answer = await calls.stream({ method: 'GET', path, query, deadlineMs: ANSWER_MS, signal });
  try {
    for await (const chunk of answer) yield chunk;
  } finally {
    answer.destroy();
  }
}
