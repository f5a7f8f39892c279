/** A bucket below schemas and JSON: what NATS (nats-bucket.ts) and the tests' memory server each implement. */

/** The last message under a key; `deleted` for a delete marker. */
export interface StoredMessage {
  readonly key: string;
  readonly data: string;
  readonly deleted: boolean;
  readonly revision: number;
  readonly writtenAtMs: number;
}

/** A write happens only if the last revision of `key` (not always the key written) is `revision`; 0 = never written. */
export interface Expectation {
  readonly key: string;
  readonly revision: number;
}

/** One of several writes; `data` undefined for a delete marker. */
export interface RawWrite {
  readonly key: string;
  readonly data: string | undefined;
  readonly expectation: Expectation;
}

/** Gets what a watch sees. Its methods must not throw. */
export interface WatchSink {
  /** The whole content under the filter: keys not among `messages` are gone. */
  replace(messages: readonly StoredMessage[]): void;
  /** Changes since, in the order of their revisions. */
  apply(messages: readonly StoredMessage[]): void;
  /** From now to the next `replace` the content may be behind. */
  stale(): void;
}

export interface RawWatch {
  close(): Promise<void>;
}

export interface RawBucket {
  readonly name: string;
  /**
   * Stores `data`, or a delete marker for `undefined`; answers the revision. Throws PlimsollError `conflict` when the
   * expectation fails, `timeout` when no acknowledgement came (the write may have happened), `unavailable` when cut off.
   */
  write(key: string, data: string | undefined, expectation?: Expectation): Promise<number>;
  /**
   * Stores all in their order, with revisions one after the other, or none; answers the last one's revision, undefined when
   * it stored none: an expectation failed, it is too much at once, the server cannot. Throws as `write()` does where any
   * may have been stored, `precondition` when no more than some were.
   */
  writeTogether(writes: readonly RawWrite[]): Promise<number | undefined>;
  /** The last message under a key, delete markers included. */
  read(key: string): Promise<StoredMessage | undefined>;
  /** Resolves after the first `replace`. `filter` is a key or a pattern with the KV wildcards `*` and `>`. */
  watch(filter: string, sink: WatchSink): Promise<RawWatch>;
}

/** Whether a key or subject fits a pattern with the wildcards `*` (one token) and `>` (all further tokens). Pure. */
export function matchesPattern(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return tokens.length > index;
    if (index >= tokens.length) return false;
    if (token !== '*' && token !== tokens[index]) return false;
  }
  return wanted.length === tokens.length;
}
