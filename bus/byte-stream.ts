/**
 * Byte streams over single messages with flow control: the producer may have `WINDOW` unacknowledged chunks under way, the
 * consumer grants one more for each it has passed on. Either side notices when the other is gone.
 */
import type { Clock } from '../runtime/clock.ts';
import { isAbort, PlimsollError } from '../runtime/errors.ts';
import { Poke } from '../runtime/loop.ts';
import { decodeFrame, encodeDataFrame, encodeEndFrame, encodeErrorFrame, type Frame } from './envelope.ts';
import type { Wire } from './wire.ts';

export const CHUNK_BYTES = 64 * 1024;
export const WINDOW = 8;
const KEEPALIVE_MS = 5_000;
/** A side that heard nothing for this long takes the other for gone. */
const SILENCE_MS = 16_000;

const GRANT = 1;
const KEEPALIVE = 2;
const CANCEL = 3;

export interface StreamEnds {
  readonly wire: Wire;
  readonly clock: Clock;
  /** Where frames go. */
  readonly dataSubject: string;
  /** Where grants, keep-alives and cancels go. */
  readonly controlSubject: string;
}

/** Sends `source` chunk by chunk as the consumer grants them; aborts `gone` when the consumer cancels or falls silent. */
export async function sendStream(ends: StreamEnds, source: AsyncIterable<Uint8Array>, gone: AbortController) {
  const poke = new Poke();
  const consumer = { credits: WINDOW, heardAtMs: ends.clock.elapsedMs() };
  const subscription = ends.wire.subscribe(ends.controlSubject, (message) => {
    consumer.heardAtMs = ends.clock.elapsedMs();
    if (message.data[0] === GRANT) consumer.credits += 1;
    if (message.data[0] === CANCEL) gone.abort(new PlimsollError('unavailable', 'the reader of the stream has left'));
    poke.poke();
  });
  const done = new AbortController();
  gone.signal.addEventListener('abort', () => done.abort(), { once: true });
  const watching = watchConsumer(ends, consumer, gone, done.signal);
  try {
    await sendChunks(ends, source, consumer, poke, gone.signal);
  } catch (error) {
    if (!gone.signal.aborted) ends.wire.publish(ends.dataSubject, encodeErrorFrame(error));
  } finally {
    subscription.stop();
    done.abort();
    await watching;
  }
}

async function sendChunks(
  ends: StreamEnds,
  source: AsyncIterable<Uint8Array>,
  consumer: { credits: number },
  poke: Poke,
  signal: AbortSignal,
): Promise<void> {
  for await (const bytes of source) {
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      while (consumer.credits === 0 && !signal.aborted) await poke.wait(signal);
      if (signal.aborted) return;
      consumer.credits -= 1;
      ends.wire.publish(ends.dataSubject, encodeDataFrame(bytes.subarray(start, start + CHUNK_BYTES)));
    }
  }
  if (!signal.aborted) ends.wire.publish(ends.dataSubject, encodeEndFrame());
}

/** Tells the consumer that the producer lives, and ends the stream when the consumer no longer says so. */
async function watchConsumer(
  ends: StreamEnds,
  consumer: { heardAtMs: number },
  gone: AbortController,
  done: AbortSignal,
): Promise<void> {
  while (!done.aborted) {
    await ends.clock.sleep(KEEPALIVE_MS, done).catch(() => undefined);
    if (done.aborted) return;
    if (ends.clock.elapsedMs() - consumer.heardAtMs > SILENCE_MS) {
      gone.abort(new PlimsollError('unavailable', 'the reader of the stream is silent'));
    } else {
      ends.wire.publish(ends.dataSubject, encodeDataFrame(new Uint8Array(0)));
    }
  }
}

/** Reads what `sendStream` sends; `start` sends the request once the subscription is in place. */
export async function* receiveStream(
  ends: StreamEnds,
  start: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const frames: Frame[] = [];
  const poke = new Poke();
  const producer = { heardAtMs: ends.clock.elapsedMs() };
  const subscription = ends.wire.subscribe(ends.dataSubject, (message) => {
    producer.heardAtMs = ends.clock.elapsedMs();
    const frame = message.noResponders ? nobodyListens(ends.dataSubject) : decodeFrame(message.data);
    if (frame.kind !== 'data' || frame.bytes.length > 0) frames.push(frame);
    poke.poke();
  });
  const done = new AbortController();
  const watching = watchProducer(ends, producer, frames, poke, done.signal);
  let isEnded = false;
  try {
    if (!start()) throw new PlimsollError('unavailable', 'Cannot ask for a stream: no connection to NATS');
    while (!signal.aborted && !isEnded) {
      const frame = frames.shift();
      if (!frame) await poke.wait(signal);
      else if (frame.kind === 'data') {
        yield frame.bytes;
        ends.wire.publish(ends.controlSubject, Uint8Array.of(GRANT));
      } else {
        isEnded = true;
        if (frame.kind === 'error') throw frame.error;
      }
    }
  } finally {
    subscription.stop();
    done.abort();
    await watching;
    if (!isEnded) ends.wire.publish(ends.controlSubject, Uint8Array.of(CANCEL));
  }
}

function nobodyListens(subject: string): Frame {
  return {
    kind: 'error',
    error: new PlimsollError('unavailable', `Nobody answers the stream asked for on ${subject}`),
  };
}

async function watchProducer(
  ends: StreamEnds,
  producer: { heardAtMs: number },
  frames: Frame[],
  poke: Poke,
  done: AbortSignal,
): Promise<void> {
  while (!done.aborted) {
    try {
      await ends.clock.sleep(KEEPALIVE_MS, done);
    } catch (error) {
      if (isAbort(error)) return;
      throw error;
    }
    ends.wire.publish(ends.controlSubject, Uint8Array.of(KEEPALIVE));
    if (ends.clock.elapsedMs() - producer.heardAtMs > SILENCE_MS) {
      frames.push({ kind: 'error', error: new PlimsollError('unavailable', 'the source of the stream is silent') });
      poke.poke();
    }
  }
}
