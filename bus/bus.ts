/**
 * What the rest of Plimsoll knows of the bus: these interfaces. Behind them is NATS (nats-bus.ts) or, in tests and
 * simulation, memory. Every call has a deadline; errors are PlimsollError with code `unavailable`, `timeout` or `conflict`.
 */
import type { z } from 'zod';

/** A stored value with its place in the bucket's history. */
export interface Entry<T> {
  readonly key: string;
  readonly value: T;
  /** The bucket's sequence number of this write: what CAS compares. */
  readonly revision: number;
  /** The server's time of this write. */
  readonly writtenAtMs: number;
}

/** A live, read-only copy of the part of a bucket a filter selects. */
export interface BucketView<T> {
  readonly entries: ReadonlyMap<string, Entry<T>>;
  /** The highest sequence number this copy has seen. */
  readonly revision: number;
  /** False from a detected gap (or a lost connection) until the copy is whole again. */
  readonly current: boolean;
  /** Records that do not fit their schema: key -> why. Kept out of `entries`, counted, shown in `plim status`. */
  readonly quarantined: ReadonlyMap<string, string>;
  /** How often a new reading lacked records nobody was heard to delete, or had older ones: the bucket lost something. */
  readonly losses: number;
  /** Called after each batch of changes with the keys that changed. Returns the way to stop. */
  onChange(listener: (keys: readonly string[]) => void): () => void;
  /** Resolves when the copy has seen `revision`: reads after that see the write. Rejects with `timeout`. */
  reached(revision: number, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** One of several writes: over the revision expected, absent = the key must not exist. A record that is absent is deleted. */
export type RecordWrite<T> =
  | { readonly key: string; readonly value: T; readonly expectedRevision: number | undefined }
  | { readonly key: string; readonly value: undefined; readonly expectedRevision: number };

/** What became of one of several writes. */
export type WriteOutcome = { readonly revision: number } | { readonly error: unknown };

/** A typed key-value bucket. Writers state what they believe is there: CAS or create-only, never blind. */
export interface Bucket<T> {
  readonly name: string;
  /** Writes a key that must not exist (a deleted one counts as not existing). Throws `conflict`. Answers the revision. */
  create(key: string, value: T): Promise<number>;
  /** Overwrites the record whose revision is `expectedRevision`. Throws `conflict` when it is another by now. */
  update(key: string, value: T, expectedRevision: number): Promise<number>;
  /** Overwrites without looking: only for a sole writer's own keys (an agent's status). */
  put(key: string, value: T): Promise<number>;
  delete(key: string, expectedRevision?: number): Promise<void>;
  /**
   * As `create()`, `update()` and `delete()` would do each, of different keys and at most a thousand, for less of the
   * server's time where it can store several at once. Answers what became of each, in their order. Never throws.
   */
  writeAll(writes: readonly RecordWrite<T>[]): Promise<readonly WriteOutcome[]>;
  /** The stored record as the stream's leader knows it; undefined when absent, deleted or quarantined. */
  get(key: string): Promise<Entry<T> | undefined>;
  /** A live copy of the keys under `filter` (KV wildcards, default all), complete when the promise resolves. */
  watch(filter?: string): Promise<BucketView<T>>;
}

/** A leader's right to write: attached to its writes, refused by the server (where it can) once a newer epoch began. */
export interface Fence {
  readonly epoch: number;
}

/** A message that a stream is to keep. */
export interface DurableMessage {
  readonly subject: string;
  readonly message: unknown;
}

export interface Bus {
  /** Publishes without acknowledgement: beats, usage. Silently lost while disconnected, which is meant. */
  publish(subject: string, message: unknown): void;
  /** Publishes into a stream and waits for the acknowledgement. */
  publishDurably(subject: string, message: unknown): Promise<void>;
  /**
   * As `publishDurably()` each, all kept by one stream and at most a thousand, for less of the server's time where it can store
   * several at once. Answers how each ended, in their order. Never throws.
   */
  publishAllDurably(messages: readonly DurableMessage[]): Promise<readonly PromiseSettledResult<void>[]>;
  /** What was published durably on `subject` (wildcards too) and is still kept, oldest first; what does not fit is dropped and counted. */
  stored<T>(subject: string, schema: z.ZodType<T>): Promise<readonly T[]>;
  /** Every message on `subject`, parsed; one that does not fit is counted and dropped. */
  subscribe<T>(subject: string, schema: z.ZodType<T>, handler: (message: T, subject: string) => void): Subscription;
  /** Asks whoever answers `subject`. Throws `unavailable` at once when nobody listens, `timeout` after `timeoutMs`. */
  request<T>(subject: string, message: unknown, reply: z.ZodType<T>, timeoutMs: number): Promise<T>;
  /** Answers requests on `subject`; a thrown PlimsollError travels to the asker. Of several who do, one gets each request. */
  respond<T>(
    subject: string,
    schema: z.ZodType<T>,
    handler: (message: T, subject: string) => Promise<unknown>,
  ): Subscription;
  /**
   * As `respond()`, but whoever listens gets each request, and those answer for whom `mayAnswer` says so: for questions to
   * the leader, which a hung predecessor must not keep from it.
   */
  respondWhile<T>(
    subject: string,
    schema: z.ZodType<T>,
    mayAnswer: () => boolean,
    handler: (message: T, subject: string) => Promise<unknown>,
  ): Subscription;
  /** Asks a node's agent; answers come back on `plim.reply.<node>.>`, the only place that node may answer to. */
  askNode<T>(nodeId: string, verb: string, message: unknown, reply: z.ZodType<T>, timeoutMs: number): Promise<T>;
  /**
   * Asks a node's agent for a stream of bytes with flow control (64 KB chunks, a window of 8). Ends with the source or the
   * signal. `input` goes the other way, held to the same window; it is the caller's to end when the stream is over.
   */
  askNodeStream(
    nodeId: string,
    verb: string,
    message: unknown,
    signal: AbortSignal,
    input?: AsyncIterable<Uint8Array>,
  ): AsyncIterable<Uint8Array>;
  /** The agent's side of `askNode` for its own node. */
  answer<T>(
    nodeId: string,
    verb: string,
    schema: z.ZodType<T>,
    handler: (message: T) => Promise<unknown>,
  ): Subscription;
  /** The agent's side of `askNodeStream`; the signal aborts, and the input fails, when the asker is gone. */
  answerStream<T>(
    nodeId: string,
    verb: string,
    schema: z.ZodType<T>,
    handler: (message: T, signal: AbortSignal, input: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  ): Subscription;
  /** A node asks for a stream of bytes itself; one of the coordinators who answer does. */
  askCoordinatorStream(nodeId: string, verb: string, message: unknown, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The coordinators' side of it; which node asks is the server's word, not the node's. */
  answerNodeStreams<T>(
    verb: string,
    schema: z.ZodType<T>,
    handler: (nodeId: string, message: T, signal: AbortSignal) => AsyncIterable<Uint8Array>,
  ): Subscription;
  readonly connected: boolean;
  onConnectionChange(listener: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}

export interface Subscription {
  stop(): void;
}
