/** A typed door to a bucket: JSON, schema, compare-and-set, the fence, and what to do when an acknowledgement is lost. */
import type { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import { isConflict, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Bucket, BucketView, Entry } from './bus.ts';
import type { BusMetrics } from './bus-metrics.ts';
import type { Expectation, RawBucket, StoredMessage } from './raw-bucket.ts';
import type { Reader } from './reader.ts';
import { type KeyOf, RecordView, readRecordAt } from './record-view.ts';

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
    const revision = stored && !(stored.deleted && expectedRevision === 0) ? stored.revision : 0;
    if (revision !== expectedRevision) throw this.conflict(key, expectedRevision, revision);
    return this.write(key, data, fence);
  }

  private async write(key: string, data: string | undefined, expectation: Expectation | undefined): Promise<number> {
    try {
      return await this.parts.raw.write(this.full(key), data, expectation);
    } catch (error) {
      if (!isConflict(error)) return await this.readBack(key, data, error);
      this.parts.metrics.conflicts.inc({ bucket: this.name });
      throw this.parts.fence ? new FencedOff(error) : error;
    }
  }

  /** No acknowledgement came: if what lies there is what was written, it was; else the first error stands. */
  private async readBack(key: string, data: string | undefined, error: unknown): Promise<number> {
    const stored = await this.parts.raw.read(this.full(key)).catch(() => undefined);
    const isOurs = data === undefined ? stored?.deleted : stored?.deleted === false && stored.data === data;
    if (!stored || !isOurs) throw error;
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
