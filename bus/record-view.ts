/** The typed, live copy of a part of a bucket: applies what a watch delivers, quarantines what does not fit. */
import type { z } from 'zod';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { BucketView, Entry } from './bus.ts';
import type { RawWatch, StoredMessage, WatchSink } from './raw-bucket.ts';
import type { Reader, Reading } from './reader.ts';
import { isSameWrite, type Write } from './same-write.ts';

const REACH_TIMEOUT_MS = 5_000;

export interface ViewParts<T> {
  readonly bucket: string;
  /** Cut off the front of every key. */
  readonly keyPrefix: string;
  readonly schema: z.ZodType<T>;
  /** The key a record belongs under, by what it says of itself; undefined where it says nothing of that. */
  readonly keyOf: KeyOf<T> | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly reader: Reader;
  readonly onQuarantined: () => void;
}

export type KeyOf<T> = (record: T) => string;

type RecordReading<T> = Pick<ViewParts<T>, 'schema' | 'keyOf' | 'reader'>;

/** A record that lies under another's key is damaged as well: whoever wrote it, it must not be taken for that one. Pure. */
export function readRecordAt<T>(
  key: string,
  stored: StoredMessage,
  { schema, keyOf, reader }: RecordReading<T>,
): Reading<T> {
  const parsed = reader.record(schema, stored);
  if ('problem' in parsed || !keyOf) return parsed;
  const ownKey = keyOf(parsed.value);
  return ownKey === key ? parsed : { problem: `it is the record of ${ownKey}, under another key` };
}

export class RecordView<T> implements BucketView<T>, WatchSink {
  readonly entries = new Map<string, Entry<T>>();
  readonly quarantined = new Map<string, string>();
  revision = 0;
  current = false;
  losses = 0;
  private watch: RawWatch | undefined;
  private readonly listeners = new Set<(keys: readonly string[]) => void>();
  private readonly waiters = new Set<() => void>();
  private readonly quarantinedWrites = new Map<string, Write>();
  private readonly parts: ViewParts<T>;

  constructor(parts: ViewParts<T>) {
    this.parts = parts;
  }

  /** The watch this view closes with itself. */
  attach(watch: RawWatch): void {
    this.watch = watch;
  }

  replace(messages: readonly StoredMessage[]): void {
    const present = new Set(messages.filter((message) => !message.deleted).map((message) => this.keyOf(message)));
    const gone = [...this.entries.keys(), ...this.quarantined.keys()].filter((key) => !present.has(key));
    for (const key of gone) this.forget(key);
    const before = this.revision;
    this.revision = 0;
    const changed = this.take(messages);
    if (gone.length > 0 || this.revision < before) this.losses += 1;
    this.current = true;
    this.announce([...new Set([...gone, ...changed])]);
  }

  apply(messages: readonly StoredMessage[]): void {
    this.announce(this.take(messages));
  }

  stale(): void {
    this.current = false;
  }

  onChange(listener: (keys: readonly string[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async reached(revision: number, timeoutMs = REACH_TIMEOUT_MS): Promise<void> {
    if (this.revision >= revision) return;
    let check = () => {};
    const seen = new Promise<void>((resolve) => {
      check = () => this.revision >= revision && resolve();
      this.waiters.add(check);
    });
    try {
      await withDeadline(this.parts.clock, timeoutMs, seen, () => this.reachTimeout(revision, timeoutMs));
    } finally {
      this.waiters.delete(check);
    }
  }

  async close(): Promise<void> {
    this.listeners.clear();
    this.current = false;
    await this.watch?.close();
  }

  private reachTimeout(revision: number, timeoutMs: number): PlimsollError {
    return new PlimsollError(
      'timeout',
      `Cannot read bucket ${this.parts.bucket} as of revision ${revision}: after ${timeoutMs} ms it is at ${this.revision}`,
    );
  }

  private keyOf(message: StoredMessage): string {
    return message.key.slice(this.parts.keyPrefix.length);
  }

  private forget(key: string): void {
    this.entries.delete(key);
    this.quarantined.delete(key);
    this.quarantinedWrites.delete(key);
  }

  /** Takes messages in; answers the keys that changed. */
  private take(messages: readonly StoredMessage[]): string[] {
    const changed = new Set<string>();
    for (const message of messages) {
      this.revision = Math.max(this.revision, message.revision);
      const key = this.keyOf(message);
      if (this.takeOne(key, message)) changed.add(key);
    }
    return [...changed];
  }

  private takeOne(key: string, message: StoredMessage): boolean {
    if (message.deleted) {
      const known = this.entries.has(key) || this.quarantined.has(key);
      this.forget(key);
      return known;
    }
    if (isSameWrite(this.entries.get(key) ?? this.quarantinedWrites.get(key), message)) return false;
    this.forget(key);
    this.store(key, message);
    return true;
  }

  private store(key: string, message: StoredMessage): void {
    const parsed = readRecordAt(key, message, this.parts);
    if ('value' in parsed) {
      const { revision, writtenAtMs } = message;
      this.entries.set(key, { key, value: parsed.value, revision, writtenAtMs });
      return;
    }
    this.quarantined.set(key, parsed.problem);
    this.quarantinedWrites.set(key, { revision: message.revision, writtenAtMs: message.writtenAtMs });
    this.parts.onQuarantined();
    this.parts.log.error(
      { bucket: this.parts.bucket, key: message.key, revision: message.revision, problem: parsed.problem },
      'a stored record does not fit its schema and is left out',
    );
  }

  private announce(keys: readonly string[]): void {
    for (const check of this.waiters) check();
    if (keys.length === 0) return;
    for (const listener of this.listeners) {
      try {
        listener(keys);
      } catch (error) {
        this.parts.log.error({ bucket: this.parts.bucket, error: messageOf(error) }, 'a listener of a view threw');
      }
    }
  }
}
