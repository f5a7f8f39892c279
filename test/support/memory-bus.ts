/**
 * The bus in memory: one server, several connections, faults on demand. It stands in for NATS below the same typed layers
 * (record-bucket.ts, wire-bus.ts) and passes the same contract suite.
 */
import { randomBytes } from 'node:crypto';
import { type BucketDefinition, type BucketName, bucketDefinitions, isOwnKey } from '../../bus/bucket-definitions.ts';
import type { Buckets } from '../../bus/buckets.ts';
import type { Bus } from '../../bus/bus.ts';
import { busMetrics } from '../../bus/bus-metrics.ts';
import { encodeJson } from '../../bus/envelope.ts';
import {
  type Expectation,
  matchesPattern,
  type RawBucket,
  type RawWatch,
  type StoredMessage,
  type WatchSink,
} from '../../bus/raw-bucket.ts';
import { recordBuckets } from '../../bus/record-buckets.ts';
import { subjects } from '../../bus/subjects.ts';
import type { Wire, WireMessage } from '../../bus/wire.ts';
import { WireBus } from '../../bus/wire-bus.ts';
import type { Clock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { createLog, type Log } from '../../runtime/log.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';

export interface MemoryServerOptions {
  readonly clock: Clock;
  /** As NATS 2.15 (true, the default) or 2.10 (false). */
  readonly serverFences?: boolean;
  readonly log?: Log;
}

interface Watcher {
  readonly pattern: string;
  readonly sink: WatchSink;
  readonly connection: MemoryConnection;
}

interface Listener {
  readonly pattern: string;
  readonly handler: (message: WireMessage) => void;
  readonly connection: MemoryConnection;
  readonly group: string | undefined;
}

/** One bucket's content; the last message per key, as a KV with history 1. */
class MemoryStore {
  readonly messages = new Map<string, StoredMessage & { readonly storedAtMs: number }>();
  readonly watchers = new Set<Watcher>();
  revision = 0;
  readonly definition: BucketDefinition;
  private readonly clock: Clock;

  constructor(definition: BucketDefinition, clock: Clock) {
    this.definition = definition;
    this.clock = clock;
  }

  read(key: string): StoredMessage | undefined {
    const message = this.messages.get(key);
    const { maxAgeMs } = this.definition;
    if (message && maxAgeMs !== undefined && this.clock.elapsedMs() - message.storedAtMs >= maxAgeMs) {
      this.messages.delete(key);
      return undefined;
    }
    return message;
  }

  write(key: string, data: string | undefined, expectation: Expectation | undefined): StoredMessage {
    if (expectation && (this.read(expectation.key)?.revision ?? 0) !== expectation.revision) {
      throw new PlimsollError(
        'conflict',
        `Cannot write ${this.definition.name} ${key}: ${expectation.key} is not at revision ${expectation.revision}`,
      );
    }
    this.revision += 1;
    const message = {
      key,
      data: data ?? '',
      deleted: data === undefined,
      revision: this.revision,
      writtenAtMs: this.clock.wallMs(),
      storedAtMs: this.clock.elapsedMs(),
    };
    this.messages.delete(key);
    this.messages.set(key, message);
    return message;
  }

  content(pattern: string): StoredMessage[] {
    const keys = [...this.messages.keys()].filter((key) => !isOwnKey(key) && matchesPattern(pattern, key));
    return keys.map((key) => this.read(key)).filter((message) => message !== undefined);
  }
}

/** The shared server. Connections are made with `connect()`. */
export class MemoryServer {
  readonly clock: Clock;
  readonly log: Log;
  readonly serverFences: boolean;
  readonly listeners = new Set<Listener>();
  /** What was published durably, oldest first. */
  readonly events: { readonly subject: string; readonly message: unknown }[] = [];
  private readonly stores: ReadonlyMap<string, MemoryStore>;

  constructor(options: MemoryServerOptions) {
    this.clock = options.clock;
    this.log = options.log ?? createLog('test', 'silent');
    this.serverFences = options.serverFences ?? true;
    const definitions = Object.values<BucketDefinition>(bucketDefinitions);
    this.stores = new Map(definitions.map((definition) => [definition.name, new MemoryStore(definition, this.clock)]));
  }

  connect(name = 'test'): MemoryConnection {
    return new MemoryConnection(this, name);
  }

  store(name: BucketName): MemoryStore {
    const store = this.stores.get(name);
    if (!store) throw new Error(`There is no bucket ${name}`);
    return store;
  }

  /** Puts any text under a key, as a damaged disk or a foreign program would. */
  corrupt(name: BucketName, key: string, text: string): void {
    this.deliver(name, this.store(name).write(key, text, undefined));
  }

  /** Empties a bucket as a lost memory stream does: sequence numbers start again, watchers see it all vanish. */
  wipe(name: BucketName): void {
    const store = this.store(name);
    store.messages.clear();
    store.revision = 0;
    // Behind what is on its way already, as on one connection.
    for (const watcher of store.watchers) watcher.connection.receive(() => watcher.sink.replace([]));
  }

  deliver(name: BucketName, message: StoredMessage): void {
    if (isOwnKey(message.key)) return;
    for (const watcher of this.store(name).watchers) {
      if (matchesPattern(watcher.pattern, message.key)) watcher.connection.receive(() => watcher.sink.apply([message]));
    }
  }

  /** Sends a message to whoever listens, later; answers whether anybody does. */
  route(message: WireMessage): boolean {
    const reached = [...this.listeners].filter(
      (listener) => listener.connection.connected && matchesPattern(listener.pattern, message.subject),
    );
    for (const listener of oneOfEachGroup(reached)) {
      listener.connection.receive(() => this.listeners.has(listener) && listener.handler(message));
    }
    return reached.length > 0;
  }
}

function oneOfEachGroup(listeners: readonly Listener[]): Listener[] {
  const isFirst = ({ group, pattern }: Listener, index: number) =>
    index === listeners.findIndex((other) => other.group === group && other.pattern === pattern);
  return listeners.filter((listener, index) => listener.group === undefined || isFirst(listener, index));
}

/** One client's connection: its bus, its buckets, and the faults that befall it. */
export class MemoryConnection implements Wire {
  readonly bus: Bus;
  readonly buckets: Buckets;
  readonly metrics: Metrics = createMetrics('test', '0');
  connected = true;
  private acknowledgementsToLose = 0;
  private held: (() => void)[] | undefined;
  /** Counts reconnects: what was under way when the connection broke never arrives. */
  private generation = 0;
  private readonly changeListeners = new Set<(connected: boolean) => void>();
  private readonly server: MemoryServer;
  private readonly name: string;

  constructor(server: MemoryServer, name: string) {
    this.server = server;
    this.name = name;
    const parts = { clock: server.clock, log: server.log, metrics: busMetrics(this.metrics) };
    this.bus = new WireBus({ ...parts, wire: this });
    const raw = (bucket: BucketName) => new MemoryBucket(server, this, bucket);
    this.buckets = recordBuckets({ ...parts, raw, serverFences: server.serverFences });
  }

  // ---- faults ----

  /** Cuts the connection: calls fail with `unavailable`, nothing arrives. */
  disconnect(): void {
    this.setConnected(false);
  }

  /** Restores it; watches are rebuilt from scratch. */
  reconnect(): void {
    this.setConnected(true);
  }

  /** The next `count` writes happen, but their acknowledgement never comes. */
  loseAcknowledgements(count: number): void {
    this.acknowledgementsToLose = count;
  }

  /** Nothing more arrives here until `resume()`, though the connection looks fine: a stale reader. */
  hold(): void {
    this.held ??= [];
  }

  resume(): void {
    const waiting = this.held ?? [];
    this.held = undefined;
    for (const work of waiting) work();
  }

  // ---- what the server and the buckets need of it ----

  receive(work: () => void): void {
    if (this.held) this.held.push(work);
    else {
      const { generation } = this;
      queueMicrotask(() => this.connected && this.generation === generation && work());
    }
  }

  takesAcknowledgement(): boolean {
    if (this.acknowledgementsToLose === 0) return true;
    this.acknowledgementsToLose -= 1;
    return false;
  }

  requireConnected(): void {
    if (!this.connected) throw new PlimsollError('unavailable', 'Cannot reach NATS: the connection is down');
  }

  // ---- Wire ----

  publish(subject: string, data: Uint8Array, reply?: string): boolean {
    if (!this.connected) return false;
    const isStored = matchesPattern(subjects.events, subject);
    if (isStored) this.server.events.push({ subject, message: JSON.parse(new TextDecoder().decode(data)) });
    const isHeard = this.server.route({ subject, data, reply, noResponders: false });
    if (reply === undefined) return true;
    if (isStored) this.answer(reply, encodeJson({ stream: 'plim_events', seq: this.server.events.length }), false);
    else if (!isHeard) this.answer(reply, new Uint8Array(0), true);
    return true;
  }

  subscribe(subject: string, handler: (message: WireMessage) => void, group?: string): { stop(): void } {
    const listener = { pattern: subject, handler, connection: this, group };
    this.server.listeners.add(listener);
    return { stop: () => this.server.listeners.delete(listener) };
  }

  inbox(): string {
    return `_INBOX.${this.name}.${randomBytes(8).toString('hex')}`;
  }

  onConnectionChange(listener: (connected: boolean) => void): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  async close(): Promise<void> {
    for (const listener of this.server.listeners) {
      if (listener.connection === this) this.server.listeners.delete(listener);
    }
    this.setConnected(false);
    this.changeListeners.clear();
  }

  private answer(reply: string, data: Uint8Array, noResponders: boolean): void {
    this.server.route({ subject: reply, data, reply: undefined, noResponders });
  }

  private setConnected(connected: boolean): void {
    if (this.connected === connected) return;
    this.connected = connected;
    this.generation += 1;
    for (const listener of this.changeListeners) listener(connected);
  }
}

class MemoryBucket implements RawBucket {
  readonly name: BucketName;
  private readonly server: MemoryServer;
  private readonly connection: MemoryConnection;

  constructor(server: MemoryServer, connection: MemoryConnection, name: BucketName) {
    this.server = server;
    this.connection = connection;
    this.name = name;
  }

  async write(key: string, data: string | undefined, expectation?: Expectation): Promise<number> {
    this.connection.requireConnected();
    const message = this.server.store(this.name).write(key, data, expectation);
    this.server.deliver(this.name, message);
    if (this.connection.takesAcknowledgement()) return message.revision;
    throw new PlimsollError('timeout', `No acknowledgement of ${this.name} ${key}`);
  }

  async read(key: string): Promise<StoredMessage | undefined> {
    this.connection.requireConnected();
    return this.server.store(this.name).read(key);
  }

  async watch(filter: string, sink: WatchSink): Promise<RawWatch> {
    this.connection.requireConnected();
    const store = this.server.store(this.name);
    const watcher = { pattern: filter, sink, connection: this.connection };
    store.watchers.add(watcher);
    sink.replace(store.content(filter));
    const stopListening = this.connection.onConnectionChange((connected) => {
      if (connected) sink.replace(store.content(filter));
      else sink.stale();
    });
    return {
      close: async () => {
        stopListening();
        store.watchers.delete(watcher);
      },
    };
  }
}
