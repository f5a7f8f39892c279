/** A bus server that things befall, for the contract suites: in memory, or NATS behind proxies. */
import type { BucketName } from '../../bus/bucket-definitions.ts';
import type { Buckets } from '../../bus/buckets.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Metrics } from '../../runtime/metrics.ts';

export interface FaultyConnection {
  readonly bus: Bus;
  readonly buckets: Buckets;
  readonly metrics: Metrics;
  /** The next `count` writes happen, but nothing says so. */
  loseAcknowledgements(count: number): void;
  /** The next `count` changes a watch would be told are lost. */
  loseDeliveries(count: number): void;
  cut(): void;
  heal(): void;
}

export interface FaultyServer {
  connect(): Promise<FaultyConnection>;
  /** SIGKILL. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  /** Deletes everything in a bucket; its numbers go on. */
  purge(bucket: BucketName): Promise<void>;
  /** Deletes a bucket and makes it anew; its numbers begin again. */
  recreate(bucket: BucketName): Promise<void>;
  stop(): Promise<void>;
}
