/** A typed door to a bucket: JSON, schema, compare-and-set, the fence, and what to do when an acknowledgement is lost. */
import type { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import { isConflict, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { mapConcurrently } from '../runtime/map-concurrently.ts';
import type { Bucket, BucketView, Entry, RecordWrite, WriteOutcome } from './bus.ts';
import type { BusMetrics } from './bus-metrics.ts';
import type { Expectation, RawBucket, RawWrite, StoredMessage } from './raw-bucket.ts';
import type { Reader } from './reader.ts';
import { type KeyOf, RecordView, readRecordAt } from './record-view.ts';

/** One by one: enough to keep a synchronous disk busy, few enough not to flood the server. */
const WRITES_IN_FLIGHT = 16;

export interface DoorParts<T> {
  readonly raw: RawBucket;
  /** Put before every key: `service.` for a bucket shared by kinds, else empty. */
  readonly keyPrefix: string;
  readonly schema: z.ZodType<T>;
  /** The key a record belongs under, by what it says of itself; absent where it says nothing of that. */
  readonly keyOf?: KeyOf<T>;
  /** Attached to every write of a leader, on servers that can check it. */
  readonly fence?: Expectation;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BusMetrics;
  readonly reader: Reader;
}

/** The fence of a leader is not where it was: a newer leader raised it, or the bucket is older than it was. */
export class FencedOff extends PlimsollError {
  constructor(cause: PlimsollError) {
    super('conflict', cause.message, { cause });
  }
}

export class RecordBucket<T> implements Bucket<T> {
  private readonly parts: DoorParts<T>;

  constructor(parts: DoorParts<T>) {
    this.parts = parts;
  }

  get name(): string {
    return this.parts.raw.name;
  }

  async create(key: string, value: T): Promise<number> {
    const stored = this.parts.fence ? await this.parts.raw.read(this.full(key)) : undefined;
    try {
      return await this.writeExpecting(key, JSON.stringify(value), 0, stored);
    } catch (error) {
      if (!isConflict(error) || this.parts.fence) throw error;
      const found = await this.parts.raw.read(this.full(key));
      if (!found?.deleted) throw error;
      return await this.writeExpecting(key, JSON.stringify(value), found.revision, found);
    }
  }

  async update(key: string, value: T, expectedRevision: number): Promise<number> {
    const stored = this.parts.fence ? await this.parts.raw.read(this.full(key)) : undefined;
    return this.writeExpecting(key, JSON.stringify(value), expectedRevision, stored);
  }

  async put(key: string, value: T): Promise<number> {
    return this.write(key, JSON.stringify(value), this.parts.fence);
  }

  async delete(key: string, expectedRevision?: number): Promise<void> {
    if (expectedRevision === undefined) {
      await this.write(key, undefined, this.parts.fence);
      return;
    }
    const stored = this.parts.fence ? await this.parts.raw.read(this.full(key)) : undefined;
    await this.writeExpecting(key, undefined, expectedRevision, stored);
  }

  async writeAll(writes: readonly RecordWrite<T>[]): Promise<readonly WriteOutcome[]> {
    const together = await this.writeTogether(writes);
    if (together) return together;
    return mapConcurrently(writes, WRITES_IN_FLIGHT, (write) => outcomeOf(this.writeOne(write)));
  }

  async get(key: string): Promise<Entry<T> | undefined> {
    const stored = await this.parts.raw.read(this.full(key));
    if (!stored || stored.deleted) return undefined;
    const { schema, keyOf, reader } = this.parts;
    const parsed = readRecordAt(key, stored, { schema, keyOf, reader });
    if ('value' in parsed) {
      return { key, value: parsed.value, revision: stored.revision, writtenAtMs: stored.writtenAtMs };
    }
    this.countQuarantined();
    this.parts.log.error(
      { bucket: this.name, key: stored.key, revision: stored.revision, problem: parsed.problem },
      'a stored record does not fit its schema and is left out',
    );
    return undefined;
  }

  async watch(filter = '>'): Promise<BucketView<T>> {
    const { keyPrefix, schema, keyOf, clock, log, reader } = this.parts;
    const onQuarantined = () => this.countQuarantined();
    const view = new RecordView({ bucket: this.name, keyPrefix, schema, keyOf, clock, log, reader, onQuarantined });
    view.attach(await this.parts.raw.watch(this.full(filter), view));
    return view;
  }

  private async writeOne({ key, value, expectedRevision }: RecordWrite<T>): Promise<number> {
    if (value !== undefined) {
      return expectedRevision === undefined ? this.create(key, value) : this.update(key, value, expectedRevision);
    }
    await this.delete(key, expectedRevision);
    return expectedRevision ?? 0;
  }

  /**
   * Every key's own revision is compared by the server, but for the first's, which was read: its write carries the fence.
   * Undefined when none was stored: one by one the server says which of them it refuses, and why.
   */
  private async writeTogether(writes: readonly RecordWrite<T>[]): Promise<readonly WriteOutcome[] | undefined> {
    const { raw, fence } = this.parts;
    const [first] = writes;
    if (!fence || !first || writes.length < 2) return undefined;
    const messages = writes.map(({ key, value, expectedRevision = 0 }, index) => ({
      key: this.full(key),
      data: value === undefined ? undefined : JSON.stringify(value),
      expectation: index === 0 ? fence : { key: this.full(key), revision: expectedRevision },
    }));
    try {
      const { expectedRevision = 0 } = first;
      const stored = await raw.read(this.full(first.key));
      if (currentRevision(stored, expectedRevision) !== expectedRevision) return undefined;
      const last = await raw.writeTogether(messages).catch((error: unknown) => this.readLastBack(messages, error));
      return last === undefined ? undefined : messages.map((_, at) => ({ revision: last - messages.length + 1 + at }));
    } catch (error) {
      return writes.map(() => ({ error }));
    }
  }

  /** All or none: if the last is there, over the revision it expects, all are. */
  private async readLastBack(messages: readonly RawWrite[], error: unknown): Promise<number> {
    const last = messages.at(-1);
    if (!last || (error instanceof PlimsollError && error.code === 'precondition')) throw error;
    return this.readBack(last.key, last.data, error, last.expectation.revision);
  }

  private full(key: string): string {
    return this.parts.keyPrefix + key;
  }

  private countQuarantined(): void {
    this.parts.metrics.recordsQuarantined.inc({ bucket: this.name });
  }

  /**
   * A server checks one expectation a write. Under a fence nobody but this leader writes here, so the key's own revision
   * is compared first (`stored`, just read) and the fence travels with the write; without one, the revision does.
   */
  private async writeExpecting(
    key: string,
    data: string | undefined,
    expectedRevision: number,
    stored: StoredMessage | undefined,
  ): Promise<number> {
    const { fence } = this.parts;
    if (!fence) return this.write(key, data, { key: this.full(key), revision: expectedRevision });
    const revision = currentRevision(stored, expectedRevision);
    if (revision !== expectedRevision) throw this.conflict(key, expectedRevision, revision);
    return this.write(key, data, fence);
  }

  private async write(key: string, data: string | undefined, expectation: Expectation | undefined): Promise<number> {
    try {
      return await this.parts.raw.write(this.full(key), data, expectation);
    } catch (error) {
      if (!isConflict(error)) return await this.readBack(this.full(key), data, error);
      this.parts.metrics.conflicts.inc({ bucket: this.name });
      throw this.parts.fence ? new FencedOff(error) : error;
    }
  }

  /** No acknowledgement came: if what lies there is what was written, it was; else the first error stands. */
  private async readBack(fullKey: string, data: string | undefined, error: unknown, writtenOver = 0): Promise<number> {
    const stored = await this.parts.raw.read(fullKey).catch(() => undefined);
    const isOurs = data === undefined ? stored?.deleted : stored?.deleted === false && stored.data === data;
    if (!stored || !isOurs || stored.revision <= writtenOver) throw error;
    this.parts.metrics.lostAcknowledgements.inc({ bucket: this.name });
    return stored.revision;
  }

  private conflict(key: string, expected: number, found: number): PlimsollError {
    this.parts.metrics.conflicts.inc({ bucket: this.name });
    return new PlimsollError(
      'conflict',
      `Cannot write ${this.name} ${this.full(key)}: expected revision ${expected}, found ${found}`,
    );
  }
}

/** A deleted key is as one that never was, for who expects that. */
function currentRevision(stored: StoredMessage | undefined, expectedRevision: number): number {
  return stored && !(stored.deleted && expectedRevision === 0) ? stored.revision : 0;
}

function outcomeOf(write: Promise<number>): Promise<WriteOutcome> {
  return write.then(
    (revision) => ({ revision }),
    (error: unknown) => ({ error }),
  );
}
