/**
 * Byte streams over single messages with flow control: the producer may have `WINDOW` unacknowledged chunks under way, the
 * consumer grants one more for each it has passed on. Either side notices when the other is gone. The consumer may send
 * input of its own, held to a window of the same size.
 */
import type { Clock } from '../runtime/clock.ts';
import { isAbort, messageOf, PlimsollError } from '../runtime/errors.ts';
import { Poke } from '../runtime/loop.ts';
import {
  decodeFrame,
  encodeDataFrame,
  encodeEndFrame,
  encodeErrorFrame,
  encodeGrantFrame,
  type Frame,
} from './envelope.ts';
import { Credits, StreamInput } from './stream-input.ts';
import type { Wire } from './wire.ts';

export const CHUNK_BYTES = 64 * 1024;
export const WINDOW = 8;
const KEEPALIVE_MS = 5_000;
/** A side that heard nothing for this long takes the other for gone. */
const SILENCE_MS = 16_000;

const GRANT = 1;
const KEEPALIVE = 2;
const CANCEL = 3;
/** A chunk of the consumer's input follows. */
const INPUT = 4;
const INPUT_END = 5;

export interface StreamEnds {
  readonly wire: Wire;
  readonly clock: Clock;
  /** Where frames go. */
  readonly dataSubject: string;
  /** Where grants, keep-alives and cancels go. */
  readonly controlSubject: string;
}

/** Makes what is sent out of the consumer's input. */
export type StreamSource = (input: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** Sends the source's chunks as the consumer grants them; aborts `gone` when the consumer cancels or falls silent. */
export async function sendStream(ends: StreamEnds, source: StreamSource, gone: AbortController) {
  const credits = new Credits(WINDOW);
  const consumer = { heardAtMs: ends.clock.elapsedMs() };
  const grantInput = (count: number) => void ends.wire.publish(ends.dataSubject, encodeGrantFrame(count));
  const input = new StreamInput(WINDOW, grantInput, gone.signal);
  const subscription = ends.wire.subscribe(ends.controlSubject, ({ data }) => {
    consumer.heardAtMs = ends.clock.elapsedMs();
    if (data[0] === GRANT) credits.add(1);
    if (data[0] === INPUT && !input.push(data.slice(1))) gone.abort(unaskedInput());
    if (data[0] === INPUT_END) input.end();
    if (data[0] === CANCEL) gone.abort(new PlimsollError('unavailable', 'the reader of the stream has left'));
  });
  const done = new AbortController();
  gone.signal.addEventListener('abort', () => done.abort(), { once: true });
  const watching = watchConsumer(ends, consumer, gone, done.signal);
  try {
    await sendChunks(ends, source(input), credits, gone.signal);
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
  credits: Credits,
  signal: AbortSignal,
): Promise<void> {
  for await (const bytes of source) {
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      if (!(await credits.take(signal))) return;
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

function unaskedInput(): PlimsollError {
  return new PlimsollError('refused', `more than ${WINDOW} chunks of input came at once`);
}

/**
 * Reads what `sendStream` sends; `start` sends the request once the subscription is in place. `input` is sent as it is
 * granted; when it fails, the stream does.
 */
export async function* receiveStream(
  ends: StreamEnds,
  start: () => boolean,
  signal: AbortSignal,
  input?: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const frames: Frame[] = [];
  const poke = new Poke();
  const inputCredits = new Credits(0);
  const producer = { heardAtMs: ends.clock.elapsedMs(), hasSpoken: false };
  const subscription = ends.wire.subscribe(ends.dataSubject, (message) => {
    const frame = message.noResponders ? nobodyListens(ends.dataSubject, producer) : decodeFrame(message.data);
    producer.heardAtMs = ends.clock.elapsedMs();
    producer.hasSpoken = true;
    if (frame.kind === 'grant') return inputCredits.add(frame.count);
    if (frame.kind !== 'data' || frame.bytes.length > 0) frames.push(frame);
    poke.poke();
  });
  const done = new AbortController();
  let failure: PlimsollError | undefined;
  const fail = (error: PlimsollError) => {
    failure = error;
    poke.poke();
  };
  const watching = watchProducer(ends, producer, fail, done.signal);
  let isEnded = false;
  try {
    if (!start()) throw new PlimsollError('unavailable', 'Cannot ask for a stream: no connection to NATS');
    if (input !== undefined) {
      void sendInput(ends, input, inputCredits, done.signal).catch((error: unknown) => fail(inputFailure(error)));
    }
    while (!signal.aborted && !isEnded) {
      if (failure !== undefined) throw failure;
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

/** Left behind when the stream is over before its input: whoever made the input ends it. */
async function sendInput(
  ends: StreamEnds,
  input: AsyncIterable<Uint8Array>,
  credits: Credits,
  done: AbortSignal,
): Promise<void> {
  for await (const bytes of input) {
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      if (!(await credits.take(done))) return;
      const chunk = encodeDataFrame(bytes.subarray(start, start + CHUNK_BYTES));
      chunk[0] = INPUT;
      ends.wire.publish(ends.controlSubject, chunk);
    }
  }
  if (!done.aborted) ends.wire.publish(ends.controlSubject, Uint8Array.of(INPUT_END));
}

function inputFailure(error: unknown): PlimsollError {
  const words = `The input of the stream broke off: ${messageOf(error)}`;
  return new PlimsollError('unavailable', words, { cause: error });
}

function nobodyListens(subject: string, { hasSpoken }: { readonly hasSpoken: boolean }): Frame {
  const words = hasSpoken ? 'the source of the stream is gone' : `Nobody answers the stream asked for on ${subject}`;
  return { kind: 'error', error: new PlimsollError('unavailable', words) };
}

async function watchProducer(
  ends: StreamEnds,
  producer: { heardAtMs: number },
  fail: (error: PlimsollError) => void,
  done: AbortSignal,
): Promise<void> {
  while (!done.aborted) {
    try {
      await ends.clock.sleep(KEEPALIVE_MS, done);
    } catch (error) {
      if (isAbort(error)) return;
      throw error;
    }
    // With a reply subject the server says at once that nobody is there any more.
    ends.wire.publish(ends.controlSubject, Uint8Array.of(KEEPALIVE), ends.dataSubject);
    if (ends.clock.elapsedMs() - producer.heardAtMs > SILENCE_MS) {
      fail(new PlimsollError('unavailable', 'the source of the stream is silent'));
    }
  }
}
