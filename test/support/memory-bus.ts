/**
 * The bus in memory: one server, several connections, faults on demand. It stands in for NATS below the same typed layers
 * (record-bucket.ts, wire-bus.ts, checked-watch.ts) and passes the same contract suite. Without faults and delays every
 * call is done at once; with them, time is the clock's and chance is the random source's.
 */
import { Registry } from 'prom-client';
import { type BucketDefinition, type BucketName, bucketDefinitions } from '../../bus/bucket-definitions.ts';
import type { Buckets } from '../../bus/buckets.ts';
import type { Bus } from '../../bus/bus.ts';
import { busMetrics } from '../../bus/bus-metrics.ts';
import { heartbeatMs } from '../../bus/checked-watch.ts';
import { requestTimeoutMs } from '../../bus/deadlines.ts';
import { decodeJson, encodeJson } from '../../bus/envelope.ts';
import { recordBuckets } from '../../bus/record-buckets.ts';
import { subjects } from '../../bus/subjects.ts';
import type { StoredWireMessage, Wire, WireMessage } from '../../bus/wire.ts';
import { WireBus } from '../../bus/wire-bus.ts';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { createLog, type Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { type LinkFaults, noFaults } from './memory-bus/link-faults.ts';
import { MemoryBucket } from './memory-bus/memory-bucket.ts';
import {
  type ConsumerConnection,
  type MemoryConsumer,
  MemoryStore,
  type StoreBackup,
} from './memory-bus/memory-store.ts';
import { MessageRoutes } from './memory-bus/message-routes.ts';
import { Pipe } from './memory-bus/pipe.ts';
import { sharedReader } from './memory-bus/shared-reader.ts';
import { compilePattern } from './memory-bus/subject-pattern.ts';

export interface MemoryServerOptions {
  /** The server's, and the time messages take. */
  readonly clock: Clock;
  /** Where chance comes from: a number from 0 to less than 1. */
  readonly random?: () => number;
  /** As NATS 2.15 (true, the default) or 2.10 (false). */
  readonly serverFences?: boolean;
  readonly log?: Log;
}

export interface MemoryConnectionOptions {
  /** The process's own clock; default: the server's. */
  readonly clock?: Clock;
  /** Coordinators ask a stream's leader (the default), nodes the nearest server, which may be behind. */
  readonly reads?: 'leader' | 'nearest';
  /** Opens the streams again after a crash of the server, as coordinators do; default true. */
  readonly opensStreams?: boolean;
  readonly metrics?: Metrics;
  readonly log?: Log;
}

const isEvent = compilePattern(subjects.events);
const isPast = compilePattern(subjects.pasts);

/** A client pings every 500 ms and gives up when two were missed. */
const PING_MS = 500;
const PINGS_MISSED = 2;
const RECONNECT_WAIT_MS = 100;
/** What the server does with a client that answers no ping: see nats-config.ts. */
const SERVER_PING_MS = 5_000;
const SERVER_PINGS_MISSED = 2;
/** How long a coordinator takes to open the streams of a server that came back. */
const OPEN_STREAMS_MS = 50;

/** The shared server. Connections are made with `connect()`. */
export class MemoryServer {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly serverFences: boolean;
  readonly routes: MessageRoutes;
  readonly heartbeats: Heartbeats;
  /** What was published durably, oldest first. */
  readonly events: { readonly subject: string; readonly message: unknown }[] = [];
  /** What was published to be remembered, oldest first. */
  readonly pasts: StoredWireMessage[] = [];
  /** How far a reader that does not ask the stream's leader is behind. */
  followerLagMs = 0;
  /** False while JetStream has no leader: writes, reads and new watches get no answer; core messages flow. */
  hasJetStreamLeader = true;
  isUp = true;
  private inboxes = 0;
  /** What arrives while the server is frozen. */
  private frozen: (() => void)[] | undefined;
  private readonly connections = new Set<MemoryConnection>();
  private readonly stores: ReadonlyMap<string, MemoryStore>;

  constructor(options: MemoryServerOptions) {
    this.clock = options.clock;
    this.log = options.log ?? createLog('test', 'silent');
    this.random = options.random ?? (() => 0);
    this.serverFences = options.serverFences ?? true;
    this.routes = new MessageRoutes(this.random);
    const definitions = Object.values<BucketDefinition>(bucketDefinitions);
    this.stores = new Map(definitions.map((definition) => [definition.name, new MemoryStore(definition, this.clock)]));
    this.heartbeats = new Heartbeats(this.clock, () => this.beatConsumers());
  }

  connect(name = 'test', options: MemoryConnectionOptions = {}): MemoryConnection {
    const connection = new MemoryConnection(this, name, options);
    this.connections.add(connection);
    return connection;
  }

  store(name: BucketName): MemoryStore {
    const store = this.stores.get(name);
    if (!store) throw new Error(`There is no bucket ${name}`);
    return store;
  }

  // ---- faults ----

  /** Puts any text under a key, as a damaged disk or a foreign program would. */
  corrupt(name: BucketName, key: string, text: string): void {
    this.store(name).write(key, text);
  }

  /** Empties a bucket: its stream is made anew, numbers start again, and every watch is told at once. */
  wipe(name: BucketName): void {
    this.store(name).recreateAndTell();
  }

  /** Empties a bucket, its stream made anew, or puts a backup in its place; watches must notice by themselves. */
  recreate(name: BucketName, from?: StoreBackup): void {
    this.store(name).recreate(from);
  }

  backup(name: BucketName): StoreBackup {
    return this.store(name).backup();
  }

  /** As after SIGKILL: connections break, buckets in memory are lost, those on disk are not. */
  crash(): void {
    this.isUp = false;
    this.frozen = undefined;
    for (const store of this.stores.values()) store.crash();
    for (const connection of this.connections) connection.serverDied();
  }

  /** After `crash()`: clients come back by themselves, and the first that opens streams makes the lost ones again. */
  restart(): void {
    this.isUp = true;
  }

  /** As after SIGSTOP: nothing is answered. What arrives is worked off at `thaw()`, though its sender gave up long ago. */
  freeze(): void {
    this.frozen ??= [];
    for (const connection of this.connections) connection.expectSilence();
  }

  thaw(): void {
    const waiting = this.frozen ?? [];
    this.frozen = undefined;
    for (const work of waiting) work();
  }

  /** Closes every connection. */
  async stop(): Promise<void> {
    for (const connection of this.connections) await connection.close();
  }

  // ---- what connections need of it ----

  get isFrozen(): boolean {
    return this.frozen !== undefined;
  }

  /** Works off what has arrived. */
  take(work: () => void): void {
    if (!this.isUp) return;
    if (this.frozen) this.frozen.push(work);
    else work();
  }

  openStreams(): void {
    for (const store of this.stores.values()) store.exists = true;
  }

  forget(connection: MemoryConnection): void {
    this.connections.delete(connection);
    this.routes.removeOf(connection);
  }

  publish(message: WireMessage): void {
    const [isAnEvent, isOfThePast] = [isEvent(message.subject), isPast(message.subject)];
    if (isAnEvent) this.events.push({ subject: message.subject, message: decodeJson(message.data) });
    if (isOfThePast) this.pasts.push(message);
    const isHeard = this.routes.send(message);
    if (message.reply === undefined) return;
    if (isAnEvent || isOfThePast) this.answer(message.reply, encodeJson({ stream: 'plim_events', seq: 1 }), false);
    else if (!isHeard) this.answer(message.reply, new Uint8Array(0), true);
  }

  stored(subject: string): StoredWireMessage[] {
    const matches = compilePattern(subject);
    const events = this.events.map((event) => ({ subject: event.subject, data: encodeJson(event.message) }));
    return [...events, ...this.pasts].filter((message) => matches(message.subject));
  }

  nextInbox(owner: string): string {
    this.inboxes += 1;
    return `_INBOX.${owner}.${this.inboxes}`;
  }

  private answer(reply: string, data: Uint8Array, noResponders: boolean): void {
    this.routes.send({ subject: reply, data, reply: undefined, noResponders });
  }

  /** All of a connection's consumers beat at once. Answers whether any consumer is there to hear it. */
  private beatConsumers(): boolean {
    const consumers = [...this.stores.values()].flatMap((store) => [...store.currentConsumers]);
    if (this.isUp && !this.isFrozen) {
      for (const [connection, beats] of beatsByConnection(consumers)) {
        connection.carryHeartbeat(() => beats.forEach((beat) => beat()));
      }
    }
    return consumers.length > 0;
  }
}

function beatsByConnection(consumers: readonly MemoryConsumer[]): Map<ConsumerConnection, (() => void)[]> {
  const byConnection = new Map<ConsumerConnection, (() => void)[]>();
  for (const consumer of consumers) {
    const beats = byConnection.get(consumer.connection);
    if (beats) beats.push(consumer.beat());
    else byConnection.set(consumer.connection, [consumer.beat()]);
  }
  return byConnection;
}

/** One beat of all consumers at once, as long as there are any. */
class Heartbeats {
  private readonly clock: Clock;
  private readonly beat: () => boolean;
  private isRunning = false;

  constructor(clock: Clock, beat: () => boolean) {
    this.clock = clock;
    this.beat = beat;
  }

  begin(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.clock.after(heartbeatMs, () => {
      this.isRunning = false;
      if (this.beat()) this.begin();
    });
  }
}

/** One client's connection: its bus, its buckets, and the faults that befall it. */
export class MemoryConnection implements Wire {
  readonly bus: Bus;
  readonly buckets: Buckets;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly reads: 'leader' | 'nearest';
  /** What the client believes. */
  connected = true;
  closed = false;
  /** What the server believes. */
  isRegistered = true;
  faults: LinkFaults = noFaults;
  private acknowledgementsToLose = 0;
  private deliveriesToLose = 0;
  private held: (() => void)[] | undefined;
  private isCut = false;
  /** Between two cuts the pings of the server are answered: only a cut that lasts makes it give the client up. */
  private cutsHealed = 0;
  /** Kept down by `disconnect()`: it does not come back by itself. */
  private isDown = false;
  private silenceExpected = false;
  private readonly toServer: Pipe;
  private readonly toClient: Pipe;
  private readonly changeListeners = new Set<(connected: boolean) => void>();
  private readonly server: MemoryServer;
  private readonly name: string;
  private readonly opensStreams: boolean;

  constructor(server: MemoryServer, name: string, options: MemoryConnectionOptions) {
    this.server = server;
    this.name = name;
    this.clock = options.clock ?? server.clock;
    this.reads = options.reads ?? 'leader';
    this.opensStreams = options.opensStreams ?? true;
    this.metrics = options.metrics ?? new Registry();
    this.toServer = new Pipe(server.clock, (work) => work());
    this.toClient = new Pipe(server.clock, soon);
    const parts = { clock: this.clock, log: options.log ?? server.log, metrics: busMetrics(this.metrics) };
    this.bus = new WireBus({ ...parts, wire: this, reader: sharedReader });
    const raw = (bucket: BucketName) =>
      new MemoryBucket({ server, connection: this, name: bucket, log: parts.log, metrics: parts.metrics });
    this.buckets = recordBuckets({ ...parts, raw, serverFences: server.serverFences, reader: sharedReader });
  }

  // ---- faults ----

  setFaults(faults: Partial<LinkFaults>): void {
    this.faults = { ...noFaults, ...faults };
  }

  /** The connection breaks and stays down: calls fail with `unavailable`, nothing arrives. */
  disconnect(): void {
    this.isDown = true;
    this.lose();
  }

  /** Ends `disconnect()`; watches are rebuilt from scratch. */
  reconnect(): void {
    this.isDown = false;
    if (!this.connected) this.comeBack();
  }

  /** A cable is cut: what is sent gets stuck, both sides find out by their pings, and the client tries to come back. */
  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    this.toServer.block('cut cable');
    this.toClient.block('cut cable');
    this.expectSilence();
    this.forgetUnlessBack();
  }

  /** Ends `cut()`: what was sent arrives late if nobody had noticed. */
  heal(): void {
    if (!this.isCut) return;
    this.isCut = false;
    this.cutsHealed += 1;
    // To what comes from a client it has given up, or knew in an earlier life, a server answers that there is no connection.
    if (!this.isRegistered && !this.closed) this.toServer.drop();
    this.toServer.unblock('cut cable');
    this.toClient.unblock('cut cable');
    if (!this.isRegistered && !this.closed && this.connected) this.toClient.carry(() => this.lose(), 0);
  }

  /** The process is stopped: nothing reaches it until `thaw()`. Its clock must stand still too. */
  freeze(): void {
    this.toClient.block('frozen process');
  }

  thaw(): void {
    this.toClient.unblock('frozen process');
  }

  /** The process is killed: the server knows at once, the client never hears of anything again. */
  kill(): void {
    this.closed = true;
    this.toServer.drop();
    this.toClient.drop();
    this.toServer.block('frozen process');
    this.toClient.block('frozen process');
    this.isRegistered = false;
    this.server.forget(this);
  }

  /** The next `count` writes happen, but their acknowledgement never comes. */
  loseAcknowledgements(count: number): void {
    this.acknowledgementsToLose = count;
  }

  /** The next `count` messages to watches are lost. */
  loseDeliveries(count: number): void {
    this.deliveriesToLose = count;
  }

  /** No message and no change arrives here until `resume()`, though requests are answered: a stale reader. */
  hold(): void {
    this.held ??= [];
  }

  resume(): void {
    const waiting = this.held ?? [];
    this.held = undefined;
    for (const work of waiting) work();
  }

  // ---- what the server and the buckets need of it ----

  /** The server's process ended: its socket closes at once, unless a cut cable keeps that from us. */
  serverDied(): void {
    this.isRegistered = false;
    this.toServer.drop();
    if (!this.isCut && this.connected && !this.closed) this.toClient.carry(() => this.lose(), 0);
  }

  /** Two missed pings from now, a connection that is still silent is given up. */
  expectSilence(): void {
    if (this.silenceExpected || this.closed) return;
    this.silenceExpected = true;
    const noticedMs = PING_MS * PINGS_MISSED + this.server.random() * PING_MS;
    this.clock.after(noticedMs, () => {
      this.silenceExpected = false;
      if (this.connected && (this.isCut || this.server.isFrozen)) this.lose();
    });
  }

  carryMessage(work: () => void): void {
    const { lossShare, duplicateShare, reorderShare } = this.faults;
    if (this.befalls(lossShare)) return;
    const isTwice = this.befalls(duplicateShare);
    this.carryToClient(work, this.befalls(reorderShare));
    if (isTwice) this.carryToClient(work, true);
  }

  carryDelivery(work: () => void): void {
    if (this.deliveriesToLose > 0) this.deliveriesToLose -= 1;
    else if (!this.befalls(this.faults.watchLossShare)) this.carryToClient(work);
  }

  /** Takes no time of its own, but waits for what was sent before. */
  carryHeartbeat(work: () => void): void {
    if (this.held) this.held.push(work);
    else this.toClient.carry(work, 0);
  }

  /**
   * Has the server do `work` and answers its result. Throws `unavailable` at once when the connection is known to be down,
   * `timeout` when no answer came in time: then it may have happened, or happen yet.
   */
  async askJetStream<T>(what: string, work: () => T, kind: 'read' | 'write' | 'consumer'): Promise<T> {
    if (!this.connected) throw new PlimsollError('unavailable', 'Cannot reach NATS: the connection is down');
    const isLost = kind === 'write' && this.losesAcknowledgement();
    const late = () => new PlimsollError('timeout', `Cannot ${what}: no answer within ${requestTimeoutMs} ms`);
    if (this.isUndisturbed) {
      const result = work();
      if (!isLost) return result;
      await this.clock.sleep(requestTimeoutMs);
      throw late();
    }
    const isAnswered = () => this.server.hasJetStreamLeader || (kind === 'read' && this.reads === 'nearest');
    const answer = new Promise<T>((resolve, reject) => {
      this.carryToServer(() => {
        if (!isAnswered()) return;
        const settle = outcomeOf(work, resolve, reject);
        if (!isLost) this.toClient.carry(settle, this.delayMs());
      });
    });
    return withDeadline(this.clock, requestTimeoutMs, answer, late);
  }

  // ---- Wire ----

  publish(subject: string, data: Uint8Array, reply?: string): boolean {
    if (!this.connected) return false;
    const message = { subject, data, reply, noResponders: false };
    this.carryToServer(() => this.server.publish(message));
    return true;
  }

  async storeTogether(messages: readonly StoredWireMessage[]): Promise<boolean> {
    if (!this.server.serverFences) return false;
    const store = () => {
      for (const message of messages) this.server.publish({ ...message, reply: undefined, noResponders: false });
      return true;
    };
    return this.askJetStream(`store ${messages.length} messages at once`, store, 'write');
  }

  subscribe(subject: string, handler: (message: WireMessage) => void, group?: string): { stop(): void } {
    const listener = { pattern: subject, handler, owner: this, group };
    if (!this.closed) this.server.routes.add(listener);
    return { stop: () => this.server.routes.remove(listener) };
  }

  stored(subject: string): Promise<readonly StoredWireMessage[]> {
    return this.askJetStream(`read ${subject}`, () => this.server.stored(subject), 'consumer');
  }

  inbox(): string {
    return this.server.nextInbox(this.name);
  }

  onConnectionChange(listener: (connected: boolean) => void): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.isDown = true;
    this.lose();
    this.server.forget(this);
    this.changeListeners.clear();
  }

  /** Nothing is in the way or under way: a call need not take any time. */
  private get isUndisturbed(): boolean {
    const { server, faults } = this;
    const isServed = server.isUp && !server.isFrozen && server.hasJetStreamLeader;
    return isServed && faults.maxDelayMs === 0 && this.toServer.isFree && this.toClient.isFree;
  }

  private carryToServer(work: () => void): void {
    this.toServer.carry(() => this.server.take(work), this.delayMs());
  }

  private carryToClient(work: () => void, overtakes = false): void {
    const arrive = () => {
      if (this.held) this.held.push(work);
      else work();
    };
    this.toClient.carry(arrive, this.delayMs(), overtakes);
  }

  private delayMs(): number {
    const { minDelayMs, maxDelayMs } = this.faults;
    return maxDelayMs === 0 ? 0 : minDelayMs + this.server.random() * (maxDelayMs - minDelayMs);
  }

  private befalls(share: number): boolean {
    return share > 0 && this.server.random() < share;
  }

  private losesAcknowledgement(): boolean {
    if (this.acknowledgementsToLose === 0) return this.befalls(this.faults.acknowledgementLossShare);
    this.acknowledgementsToLose -= 1;
    return true;
  }

  /** The client knows that the connection broke. */
  private lose(): void {
    if (!this.isCut) this.isRegistered = false;
    this.toServer.drop();
    this.toClient.drop();
    this.held = this.held && [];
    this.setConnected(false);
    this.tryToComeBack();
  }

  private tryToComeBack(): void {
    if (this.isDown || this.closed) return;
    this.clock.after(RECONNECT_WAIT_MS * (1 + this.server.random()), () => {
      if (this.connected || this.isDown || this.closed) return;
      const isReachable = this.server.isUp && !this.server.isFrozen && !this.isCut;
      if (isReachable) this.comeBack();
      else this.tryToComeBack();
    });
  }

  private comeBack(): void {
    this.isRegistered = true;
    if (this.opensStreams) this.clock.after(OPEN_STREAMS_MS, () => this.connected && this.server.openStreams());
    this.setConnected(true);
  }

  private forgetUnlessBack(): void {
    const noticedMs = SERVER_PING_MS * (SERVER_PINGS_MISSED + this.server.random());
    const { cutsHealed } = this;
    this.server.clock.after(noticedMs, () => {
      if (this.isCut && cutsHealed === this.cutsHealed) this.isRegistered = false;
    });
  }

  private setConnected(connected: boolean): void {
    if (this.connected === connected) return;
    this.connected = connected;
    for (const listener of this.changeListeners) listener(connected);
  }
}

/** As queueMicrotask(), which keeps account of asynchronous contexts and takes three times as long. */
function soon(work: () => void): void {
  void nothing.then(work);
}

const nothing = Promise.resolve();

/** Does the work now; what is answered tells the caller how it went. */
function outcomeOf<T>(work: () => T, resolve: (result: T) => void, reject: (error: unknown) => void): () => void {
  try {
    const result = work();
    return () => resolve(result);
  } catch (error) {
    return () => reject(error);
  }
}
