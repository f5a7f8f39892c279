/** One request to the engine of a node, over the bus: its answer's head, then its bytes as fast as they are read. */
import type { Bus } from '../../bus/bus.ts';
import { EngineSessionHead, type EngineSessionRequest } from '../../model/engine-session.ts';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { leaveLostNode, nodeDown, refuseLostNode } from './node-watch.ts';
import { isDown, shownNode } from './reachable-nodes.ts';

/** How long an engine may take to begin its answer. */
export const HEAD_WITHIN_MS = 15_000;
/** Lists of thousands of images and volumes have room in it. */
const MAX_WHOLE_BYTES = 32 * 1024 * 1024;

export interface SessionParts {
  readonly bus: Pick<Bus, 'askNodeStream'>;
  readonly snapshot: () => Snapshot;
  readonly clock: Clock;
}

export interface SessionOptions {
  /** What cannot be done when the node is gone, as the sentence goes on: `attach to container x`. */
  readonly what: string;
  /** Ends the session; it is then over without an error. */
  readonly signal: AbortSignal;
  readonly input?: AsyncIterable<Uint8Array>;
  readonly headWithinMs?: number;
}

/** `input` is `none` and the query empty unless told otherwise. */
export type EngineRequest = Pick<EngineSessionRequest, 'method' | 'path'> & Partial<EngineSessionRequest>;

export interface EngineAnswer {
  readonly head: EngineSessionHead;
  /** To be read to its end, unless the signal aborts. Throws `unavailable` when the node is lost meanwhile. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Throws `unavailable` or `timeout`, with a sentence, when the node does not begin an answer. */
export async function openSession(
  parts: SessionParts,
  nodeId: string,
  request: EngineRequest,
  options: SessionOptions,
): Promise<EngineAnswer> {
  const { what, headWithinMs = HEAD_WITHIN_MS } = options;
  refuseLostNode(parts, nodeId, what);
  const ending = new AbortController();
  const chunks = sessionChunks(parts, nodeId, { query: '', input: 'none', ...request }, options, ending);
  const late = () => {
    const name = shownNode(parts.snapshot(), nodeId);
    return new PlimsollError('timeout', `Cannot ${what}: node ${name} did not answer within ${headWithinMs} ms`);
  };
  try {
    const first = await withDeadline(parts.clock, headWithinMs, chunks.next(), late);
    if (first.done) throw new PlimsollError('unavailable', `Cannot ${what}: the session ended before it began`);
    return { head: headOf(first.value), chunks };
  } catch (error) {
    ending.abort();
    throw error;
  }
}

/** The whole body of a small answer. Throws `unavailable` for one so large that a node must not fill our memory with it. */
export async function readWhole({ chunks }: Pick<EngineAnswer, 'chunks'>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > MAX_WHOLE_BYTES) {
      throw new PlimsollError(
        'unavailable',
        `A node's engine answers more than ${MAX_WHOLE_BYTES} bytes: that is too much`,
      );
    }
    parts.push(chunk);
  }
  return Buffer.concat(parts, length);
}

/** `leaving` ends the session from inside: an answer that is late, a node that is lost. */
async function* sessionChunks(
  parts: SessionParts,
  nodeId: string,
  request: EngineSessionRequest,
  { signal, input, what }: SessionOptions,
  leaving: AbortController,
): AsyncGenerator<Uint8Array> {
  const leave = () => leaving.abort();
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  const watch = leaveLostNode(parts, nodeId, leaving);
  try {
    yield* parts.bus.askNodeStream(nodeId, 'engine', request, leaving.signal, input);
    if (leaving.signal.aborted && !signal.aborted) refuseLostNode(parts, nodeId, what);
  } catch (error) {
    throw isUnavailable(error) ? brokenOff(parts, nodeId, what, error) : error;
  } finally {
    signal.removeEventListener('abort', leave);
    leave();
    await watch;
  }
}

const isUnavailable = (error: unknown): boolean => error instanceof PlimsollError && error.code === 'unavailable';

function brokenOff(parts: SessionParts, nodeId: string, what: string, error: unknown): unknown {
  if (isDown(parts.snapshot(), nodeId)) return nodeDown(parts, nodeId, what);
  const node = `node ${shownNode(parts.snapshot(), nodeId)}`;
  const words = messageOf(error).startsWith('Nobody answers')
    ? `Cannot ${what}: ${node} does not answer. Is its agent running?`
    : `Cannot ${what} on ${node}: ${messageOf(error)}`;
  return new PlimsollError('unavailable', words, { cause: error });
}

function headOf(bytes: Uint8Array): EngineSessionHead {
  const parsed = EngineSessionHead.safeParse(JSON.parse(Buffer.from(bytes).toString()));
  if (parsed.success) return parsed.data;
  throw new PlimsollError('internal', 'The beginning of a session does not fit: does that node run another version?');
}
