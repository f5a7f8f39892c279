/** The Bus over any wire: JSON, schemas, deadlines, errors that travel. */
import { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import { withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { ToldSeldom } from '../runtime/told-seldom.ts';
import type { Bus, DurableMessage, Subscription } from './bus.ts';
import type { BusMetrics } from './bus-metrics.ts';
import { receiveStream, type StreamEnds, sendStream } from './byte-stream.ts';
import { decodeAnswer, decodeJson, encodeAnswer, encodeError, encodeErrorFrame, encodeJson } from './envelope.ts';
import { type Reader, reader } from './reader.ts';
import { subjectKind, subjects } from './subjects.ts';
import type { Wire, WireMessage } from './wire.ts';

const ACKNOWLEDGE_TIMEOUT_MS = 5_000;
/** The group of those who answer a subject. */
const RESPONDERS = 'responders';

/** JetStream's answer to a message it stored, or did not. */
const PublishAcknowledgement = z.union([
  z.object({ error: z.object({ description: z.string() }) }),
  z.object({ stream: z.string(), seq: z.number() }),
]);

const StreamRequest = z.object({ streamId: z.string().regex(/^[\w-]+$/), message: z.unknown() });

interface AskedStream<T> {
  readonly streamId: string;
  readonly message: T;
  readonly subject: string;
}

interface ServedStream {
  readonly ends: StreamEnds;
  readonly source: (input: AsyncIterable<Uint8Array>, signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

export interface WireBusParts {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BusMetrics;
  /** Default: reads each message anew. */
  readonly reader?: Reader;
}

export class WireBus implements Bus {
  private readonly wire: Wire;
  private readonly parts: WireBusParts;
  private readonly reader: Reader;
  private readonly drops: ToldSeldom;

  constructor(parts: WireBusParts) {
    this.wire = parts.wire;
    this.parts = parts;
    this.drops = new ToldSeldom(parts.clock);
    this.reader = parts.reader ?? reader;
  }

  get connected(): boolean {
    return this.wire.connected;
  }

  onConnectionChange(listener: (connected: boolean) => void): () => void {
    return this.wire.onConnectionChange(listener);
  }

  close(): Promise<void> {
    return this.wire.close();
  }

  publish(subject: string, message: unknown): void {
    this.send(subject, encodeJson(message));
  }

  async publishDurably(subject: string, message: unknown): Promise<void> {
    try {
      const answer = await this.ask(subject, encodeJson(message), this.wire.inbox(), ACKNOWLEDGE_TIMEOUT_MS);
      const acknowledgement = PublishAcknowledgement.parse(decodeJson(answer));
      if ('error' in acknowledgement) {
        throw new PlimsollError('unavailable', `Cannot store on ${subject}: ${acknowledgement.error.description}`);
      }
    } catch (error) {
      this.parts.metrics.publishFailures.inc({ kind: subjectKind(subject) });
      throw error;
    }
  }

  async publishAllDurably(messages: readonly DurableMessage[]): Promise<readonly PromiseSettledResult<void>[]> {
    const batch = messages.map(({ subject, message }) => ({ subject, data: encodeJson(message) }));
    try {
      const isStored = batch.length > 1 && (await this.wire.storeTogether(batch));
      if (isStored) return messages.map(() => ({ status: 'fulfilled', value: undefined }));
    } catch (reason) {
      for (const { subject } of messages) this.parts.metrics.publishFailures.inc({ kind: subjectKind(subject) });
      return messages.map(() => ({ status: 'rejected', reason }));
    }
    return Promise.allSettled(messages.map(({ subject, message }) => this.publishDurably(subject, message)));
  }

  async stored<T>(subject: string, schema: z.ZodType<T>): Promise<readonly T[]> {
    const kept = await this.wire.stored(subject);
    return kept.flatMap((stored) => {
      const message = { ...stored, reply: undefined, noResponders: false };
      const parsed = this.reader.message(schema, message);
      if ('value' in parsed) return [parsed.value];
      this.drop(message, parsed.problem);
      return [];
    });
  }

  subscribe<T>(subject: string, schema: z.ZodType<T>, handler: (message: T, subject: string) => void): Subscription {
    return this.wire.subscribe(subject, (message) => {
      const parsed = this.reader.message(schema, message);
      if ('problem' in parsed) this.drop(message, parsed.problem);
      else this.guard(message.subject, () => handler(parsed.value, message.subject));
    });
  }

  async request<T>(subject: string, message: unknown, reply: z.ZodType<T>, timeoutMs: number): Promise<T> {
    const answer = await this.ask(subject, encodeJson(message), this.wire.inbox(), timeoutMs);
    return this.answerOf(subject, answer, reply);
  }

  respond<T>(
    subject: string,
    schema: z.ZodType<T>,
    handler: (message: T, subject: string) => Promise<unknown>,
  ): Subscription {
    const answer = (message: WireMessage) => void this.answerOne(message, schema, handler);
    return this.wire.subscribe(subject, answer, RESPONDERS);
  }

  respondWhile<T>(
    subject: string,
    schema: z.ZodType<T>,
    mayAnswer: () => boolean,
    handler: (message: T, subject: string) => Promise<unknown>,
  ): Subscription {
    return this.wire.subscribe(subject, (message) => {
      if (mayAnswer()) void this.answerOne(message, schema, handler);
    });
  }

  async askNode<T>(nodeId: string, verb: string, message: unknown, reply: z.ZodType<T>, timeoutMs: number): Promise<T> {
    const subject = subjects.rpc(nodeId, verb);
    const answer = await this.ask(subject, encodeJson(message), subjects.reply(nodeId, this.requestId()), timeoutMs);
    return this.answerOf(subject, answer, reply);
  }

  askNodeStream(
    nodeId: string,
    verb: string,
    message: unknown,
    signal: AbortSignal,
    input?: AsyncIterable<Uint8Array>,
  ): AsyncIterable<Uint8Array> {
    const streamId = this.requestId();
    const ends = this.streamEnds(nodeId, streamId);
    const request = encodeJson({ streamId, message });
    const start = () => this.wire.publish(subjects.rpc(nodeId, verb), request, ends.dataSubject);
    return receiveStream(ends, start, signal, input);
  }

  answer<T>(
    nodeId: string,
    verb: string,
    schema: z.ZodType<T>,
    handler: (message: T) => Promise<unknown>,
  ): Subscription {
    return this.respond(subjects.rpc(nodeId, verb), schema, handler);
  }

  answerStream<T>(
    nodeId: string,
    verb: string,
    schema: z.ZodType<T>,
    handler: (message: T, signal: AbortSignal, input: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  ): Subscription {
    return this.serveStreams(subjects.rpc(nodeId, verb), undefined, schema, ({ message, streamId }) => ({
      ends: this.streamEnds(nodeId, streamId),
      source: (input, signal) => handler(message, signal, input),
    }));
  }

  askCoordinatorStream(nodeId: string, verb: string, message: unknown, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const streamId = this.requestId();
    const ends = this.nodeStreamEnds(nodeId, streamId);
    const request = encodeJson({ streamId, message });
    const start = () => this.wire.publish(subjects.nodeAsk(nodeId, verb), request, ends.dataSubject);
    return receiveStream(ends, start, signal);
  }

  answerNodeStreams<T>(
    verb: string,
    schema: z.ZodType<T>,
    handler: (nodeId: string, message: T, signal: AbortSignal) => AsyncIterable<Uint8Array>,
  ): Subscription {
    return this.serveStreams(subjects.nodeAsk('*', verb), RESPONDERS, schema, ({ message, streamId, subject }) => {
      const nodeId = subject.split('.')[2] ?? '';
      return {
        ends: this.nodeStreamEnds(nodeId, streamId),
        source: (_input, signal) => handler(nodeId, message, signal),
      };
    });
  }

  private serveStreams<T>(
    subject: string,
    group: string | undefined,
    schema: z.ZodType<T>,
    serve: (asked: AskedStream<T>) => ServedStream,
  ): Subscription {
    const request = StreamRequest.extend({ message: schema });
    const running = new Set<AbortController>();
    const answer = (message: WireMessage) => {
      if (!isReplySubject(message.reply)) return this.drop(message, 'a request without a proper reply subject');
      const parsed = this.reader.message(request, message);
      if ('problem' in parsed) return this.refuseStream(message, parsed.problem);
      const gone = new AbortController();
      running.add(gone);
      const { ends, source } = serve({ ...parsed.value, subject: message.subject });
      void sendStream(ends, (input) => guarded(() => source(input, gone.signal)), gone)
        .catch((error) => this.handlerFailed(message.subject, error))
        .finally(() => running.delete(gone));
    };
    const subscription = this.wire.subscribe(subject, answer, group);
    return {
      stop: () => {
        subscription.stop();
        for (const gone of running) gone.abort();
      },
    };
  }

  /** As unique as an inbox is, which ends in it. */
  private requestId(): string {
    const inbox = this.wire.inbox();
    return inbox.slice(inbox.lastIndexOf('.') + 1);
  }

  private streamEnds(nodeId: string, streamId: string): StreamEnds {
    const { wire, clock } = this.parts;
    const dataSubject = subjects.reply(nodeId, streamId);
    return { wire, clock, dataSubject, controlSubject: subjects.streamControl(nodeId, streamId) };
  }

  private nodeStreamEnds(nodeId: string, streamId: string): StreamEnds {
    return { ...this.streamEnds(nodeId, streamId), controlSubject: subjects.nodeStreamControl(nodeId, streamId) };
  }

  private send(subject: string, data: Uint8Array, reply?: string): void {
    if (!this.wire.publish(subject, data, reply)) {
      this.parts.metrics.publishFailures.inc({ kind: subjectKind(subject) });
    }
  }

  /** Publishes and waits for one message on `replySubject`. */
  private async ask(subject: string, data: Uint8Array, replySubject: string, timeoutMs: number): Promise<Uint8Array> {
    let settle: (message: WireMessage) => void = () => {};
    const first = new Promise<WireMessage>((resolve) => {
      settle = resolve;
    });
    const subscription = this.wire.subscribe(replySubject, settle);
    try {
      if (!this.wire.publish(subject, data, replySubject)) {
        throw new PlimsollError('unavailable', `Cannot ask on ${subject}: no connection to NATS`);
      }
      const timeout = () => new PlimsollError('timeout', `No answer on ${subject} within ${timeoutMs} ms`);
      const message = await withDeadline(this.parts.clock, timeoutMs, first, timeout);
      if (message.noResponders) throw new PlimsollError('unavailable', `Nobody answers on ${subject}`);
      return message.data;
    } finally {
      subscription.stop();
    }
  }

  private answerOf<T>(subject: string, data: Uint8Array, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(decodeAnswer(data));
    if (parsed.success) return parsed.data;
    throw new PlimsollError('internal', `The answer on ${subject} does not fit: ${z.prettifyError(parsed.error)}`);
  }

  private async answerOne<T>(
    message: WireMessage,
    schema: z.ZodType<T>,
    handler: (message: T, subject: string) => Promise<unknown>,
  ): Promise<void> {
    if (!isReplySubject(message.reply)) return this.drop(message, 'a request without a proper reply subject');
    const parsed = this.reader.message(schema, message);
    if ('problem' in parsed) {
      this.drop(message, parsed.problem);
      return this.send(message.reply, encodeError(new PlimsollError('invalid', parsed.problem)));
    }
    try {
      this.send(message.reply, encodeAnswer(await handler(parsed.value, message.subject)));
    } catch (error) {
      if (!(error instanceof PlimsollError)) this.handlerFailed(message.subject, error);
      this.send(message.reply, encodeError(error));
    }
  }

  private refuseStream(message: WireMessage, problem: string): void {
    this.drop(message, problem);
    if (message.reply) this.send(message.reply, encodeErrorFrame(new PlimsollError('invalid', problem)));
  }

  private drop(message: WireMessage, problem: string): void {
    const { subject } = message;
    const kind = subjectKind(subject);
    this.parts.metrics.messagesDropped.inc({ kind });
    this.drops.event(kind, (untold) =>
      this.parts.log.warn({ subject, problem, untold }, 'a message does not fit its schema and is dropped'),
    );
  }

  private guard(subject: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.handlerFailed(subject, error);
    }
  }

  private handlerFailed(subject: string, error: unknown): void {
    this.parts.metrics.handlerErrors.inc({ kind: subjectKind(subject) });
    this.parts.log.error({ subject, error: messageOf(error) }, 'a message handler threw');
  }
}

/**
 * An asker chooses where our answer goes: never let it be anything but an inbox. Also, what a node makes the server
 * publish to another node's rpc subject comes with no reply subject or with one of JetStream's own.
 */
function isReplySubject(reply: string | undefined): reply is string {
  return reply !== undefined && /^(_INBOX|plim\.reply)\./.test(reply);
}

/** An iterable whose making may throw, as one that throws when read. */
async function* guarded(make: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* make();
}
