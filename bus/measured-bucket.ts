/** A raw bucket that counts and times what is asked of it. */
import type { Clock } from '../runtime/clock.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { BusMetrics } from './bus-metrics.ts';
import type { Expectation, RawBucket, RawWatch, RawWrite, StoredMessage, WatchSink } from './raw-bucket.ts';

interface MeasuringParts {
  readonly clock: Clock;
  readonly metrics: Pick<BusMetrics, 'bucketOperations' | 'bucketSeconds'>;
}

type Operation = 'read' | 'write' | 'delete' | 'batch' | 'watch';

export class MeasuredBucket implements RawBucket {
  private readonly raw: RawBucket;
  private readonly parts: MeasuringParts;

  constructor(raw: RawBucket, parts: MeasuringParts) {
    this.raw = raw;
    this.parts = parts;
  }

  get name(): string {
    return this.raw.name;
  }

  write(key: string, data: string | undefined, expectation?: Expectation): Promise<number> {
    return this.measured(data === undefined ? 'delete' : 'write', () => this.raw.write(key, data, expectation));
  }

  writeTogether(writes: readonly RawWrite[]): Promise<number | undefined> {
    const isRefused = (revision: number | undefined) => revision === undefined;
    return this.measured('batch', () => this.raw.writeTogether(writes), isRefused);
  }

  read(key: string): Promise<StoredMessage | undefined> {
    return this.measured('read', () => this.raw.read(key));
  }

  /** Timed until the first reading is complete. */
  watch(filter: string, sink: WatchSink): Promise<RawWatch> {
    return this.measured('watch', () => this.raw.watch(filter, sink));
  }

  private async measured<R>(
    operation: Operation,
    work: () => Promise<R>,
    isRefused: (result: R) => boolean = () => false,
  ): Promise<R> {
    const { clock, metrics } = this.parts;
    const startedMs = clock.elapsedMs();
    let outcome = 'ok';
    try {
      const result = await work();
      if (isRefused(result)) outcome = 'refused';
      return result;
    } catch (error) {
      outcome = error instanceof PlimsollError ? error.code : 'internal';
      throw error;
    } finally {
      metrics.bucketOperations.inc({ bucket: this.name, operation, outcome });
      metrics.bucketSeconds.observe({ bucket: this.name, operation }, (clock.elapsedMs() - startedMs) / 1000);
    }
  }
}
