/** A bucket of the memory server as one connection reaches it. */
import { type BucketName, bucketDefinition } from '../../../bus/bucket-definitions.ts';
import type { BusMetrics } from '../../../bus/bus-metrics.ts';
import { CheckedWatch, type Consumer, type ConsumerSink, type ConsumerSource } from '../../../bus/checked-watch.ts';
import type { Expectation, RawBucket, RawWatch, RawWrite, StoredMessage, WatchSink } from '../../../bus/raw-bucket.ts';
import type { Log } from '../../../runtime/log.ts';
import type { MemoryConnection, MemoryServer } from '../memory-bus.ts';
import { MemoryConsumer, type MemoryStore } from './memory-store.ts';
import { compilePattern } from './subject-pattern.ts';

export interface MemoryBucketParts {
  readonly server: MemoryServer;
  readonly connection: MemoryConnection;
  readonly name: BucketName;
  readonly log: Log;
  readonly metrics: BusMetrics;
}

export class MemoryBucket implements RawBucket {
  readonly name: BucketName;
  private readonly parts: MemoryBucketParts;

  constructor(parts: MemoryBucketParts) {
    this.name = parts.name;
    this.parts = parts;
  }

  async write(key: string, data: string | undefined, expectation?: Expectation): Promise<number> {
    const store = () => this.store.write(key, data, expectation).revision;
    return this.parts.connection.askJetStream(`write ${this.name} ${key}`, store, 'write');
  }

  async writeTogether(writes: readonly RawWrite[]): Promise<number | undefined> {
    const { connection, server } = this.parts;
    if (!server.serverFences || bucketDefinition(this.name).writtenBy !== 'leader') return undefined;
    const store = () => this.store.writeTogether(writes);
    return connection.askJetStream(`write keys of ${this.name} at once`, store, 'write');
  }

  /** Coordinators ask the stream's leader; nodes whoever has it, who may be behind. */
  async read(key: string): Promise<StoredMessage | undefined> {
    const { connection, server } = this.parts;
    const lagMs = connection.reads === 'nearest' ? server.followerLagMs : 0;
    return connection.askJetStream(`read ${this.name} ${key}`, () => this.store.read(key, lagMs), 'read');
  }

  async watch(filter: string, sink: WatchSink): Promise<RawWatch> {
    const { connection, log, metrics } = this.parts;
    const source = new MemoryConsumers(this.parts, this.store, filter);
    const parts = { source, bucket: this.name, filter, sink, clock: connection.clock, log, metrics };
    const watch = new CheckedWatch(parts);
    await watch.start();
    return watch;
  }

  private get store(): MemoryStore {
    return this.parts.server.store(this.name);
  }
}

class MemoryConsumers implements ConsumerSource {
  readonly lastRevision: (() => Promise<number>) | undefined;
  private readonly parts: MemoryBucketParts;
  private readonly store: MemoryStore;
  private readonly filter: string;

  constructor(parts: MemoryBucketParts, store: MemoryStore, filter: string) {
    this.parts = parts;
    this.store = store;
    this.filter = filter;
    const mayAsk = parts.connection.reads === 'leader' || bucketDefinition(parts.name).writtenBy !== 'nodes';
    const matches = compilePattern(filter);
    const ask = () =>
      parts.connection.askJetStream(`read ${parts.name} ${filter}`, () => store.lastRevision(matches), 'read');
    this.lastRevision = mayAsk ? ask : undefined;
  }

  get connected(): boolean {
    return this.parts.connection.connected;
  }

  get closed(): boolean {
    return this.parts.connection.closed;
  }

  onConnectionChange(listener: (connected: boolean) => void): () => void {
    return this.parts.connection.onConnectionChange(listener);
  }

  open(sink: ConsumerSink): Consumer {
    const { connection, server, name } = this.parts;
    const consumer = new MemoryConsumer(this.filter, connection, sink);
    const add = () => {
      server.heartbeats.begin();
      return this.store.addConsumer(consumer);
    };
    const pending = connection.askJetStream(`watch ${name} ${this.filter}`, add, 'consumer');
    return { pending, stop: () => this.store.removeConsumer(consumer) };
  }
}
