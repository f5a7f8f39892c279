/** One bucket of the memory server: the last message per key, as a stream with one message per subject keeps it. */
import { type BucketDefinition, isOwnKey } from '../../../bus/bucket-definitions.ts';
import type { ConsumerSink } from '../../../bus/checked-watch.ts';
import type { Expectation, RawWrite, StoredMessage } from '../../../bus/raw-bucket.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { compilePattern, type Matches } from './subject-pattern.ts';

type KeptMessage = StoredMessage & { readonly storedAtMs: number };

/** What a bucket held at one moment, to put back later. */
export interface StoreBackup {
  readonly messages: ReadonlyMap<string, KeptMessage>;
  readonly revision: number;
}

/** Where a store sends what it says to one consumer; the connection between decides what arrives, and when. */
export interface ConsumerConnection {
  carryDelivery(work: () => void): void;
  carryHeartbeat(work: () => void): void;
}

/** A push consumer as the server keeps it. */
export class MemoryConsumer {
  readonly matches: Matches;
  private sequence = 0;
  readonly connection: ConsumerConnection;
  private readonly sink: ConsumerSink;

  constructor(filter: string, connection: ConsumerConnection, sink: ConsumerSink) {
    this.matches = compilePattern(filter);
    this.connection = connection;
    this.sink = sink;
  }

  send(stored: StoredMessage, pending: number): void {
    this.sequence += 1;
    const delivered = { stored, consumerSequence: this.sequence, pending };
    this.connection.carryDelivery(() => this.sink.message(delivered));
  }

  /** The heartbeat to be carried, as of now. */
  beat(): () => void {
    const last = this.sequence;
    return () => this.sink.heartbeat(last);
  }

  /** Tells the client that the server has ended the consumer. */
  end(problem: string): void {
    this.connection.carryHeartbeat(() => this.sink.broken(problem));
  }
}

export class MemoryStore {
  readonly definition: BucketDefinition;
  /** False from a crash of the server, for buckets in memory, until somebody opens the streams again. */
  exists = true;
  /** Counts whatever happens to what is stored. */
  changes = 0;
  private revision = 0;
  private messages = new Map<string, KeptMessage>();
  /** The message before the last one, for readers that are behind. */
  private readonly replaced = new Map<string, KeptMessage>();
  private readonly consumers = new Set<MemoryConsumer>();
  /** What `lastRevision()` found, as of so many changes. */
  private readonly lastRevisions = new Map<Matches, { readonly changes: number; readonly revision: number }>();
  private readonly clock: Clock;

  constructor(definition: BucketDefinition, clock: Clock) {
    this.definition = definition;
    this.clock = clock;
  }

  /** `lagMs`: as a follower sees it that is so far behind. */
  read(key: string, lagMs = 0): StoredMessage | undefined {
    this.requireExists();
    const message = this.kept(key);
    if (lagMs === 0 || !message || message.storedAtMs <= this.clock.elapsedMs() - lagMs) return message;
    return this.replaced.get(key);
  }

  write(key: string, data: string | undefined, expectation?: Expectation): StoredMessage {
    this.requireExists();
    if (expectation && !this.isMet(expectation)) {
      throw new PlimsollError(
        'conflict',
        `Cannot write ${this.definition.name} ${key}: ${expectation.key} is not at revision ${expectation.revision}`,
      );
    }
    const message = this.keep(key, data);
    for (const consumer of this.consumers) if (consumer.matches(key)) consumer.send(message, 0);
    return message;
  }

  /** All of them, or none where an expectation fails: then undefined. Answers the last one's revision. */
  writeTogether(writes: readonly RawWrite[]): number | undefined {
    this.requireExists();
    if (writes.some(({ expectation }) => !this.isMet(expectation))) return undefined;
    return writes.map(({ key, data }) => this.write(key, data)).at(-1)?.revision;
  }

  /** Every record under a pattern, delete markers included, in the order they were written. */
  content(pattern: string): StoredMessage[] {
    return this.under(compilePattern(pattern)).filter(({ key }) => !isOwnKey(key));
  }

  /** The highest revision under a pattern, 0 for none. */
  lastRevision(matches: Matches): number {
    this.requireExists();
    const known = this.lastRevisions.get(matches);
    if (known?.changes === this.changes && this.definition.maxAgeMs === undefined) return known.revision;
    let revision = 0;
    for (const [key, message] of this.messages) {
      if (message.revision > revision && matches(key) && this.kept(key)) revision = message.revision;
    }
    this.lastRevisions.set(matches, { changes: this.changes, revision });
    return revision;
  }

  /** Adds a consumer and sends it what is there; answers how many messages that are. */
  addConsumer(consumer: MemoryConsumer): number {
    this.requireExists();
    const messages = this.under(consumer.matches);
    this.consumers.add(consumer);
    messages.forEach((message, index) => consumer.send(message, messages.length - index - 1));
    return messages.length;
  }

  removeConsumer(consumer: MemoryConsumer): void {
    this.consumers.delete(consumer);
  }

  /** Ends every consumer without a word, as a server that lost them. */
  dropConsumers(): void {
    this.consumers.clear();
  }

  get currentConsumers(): ReadonlySet<MemoryConsumer> {
    return this.consumers;
  }

  backup(): StoreBackup {
    return { messages: new Map(this.messages), revision: this.revision };
  }

  /** The stream made anew from a backup, or empty: its numbers begin there again, its consumers are gone. */
  recreate(from: StoreBackup = { messages: new Map(), revision: 0 }): void {
    this.changes += 1;
    this.messages = new Map(from.messages);
    this.replaced.clear();
    this.revision = from.revision;
    this.consumers.clear();
    this.exists = true;
  }

  /** Everything deleted at once; the numbers go on, and no consumer hears of it. */
  purge(): void {
    this.changes += 1;
    this.messages.clear();
  }

  /** As `recreate()`, and told to the consumers. */
  recreateAndTell(): void {
    const orphaned = [...this.consumers];
    this.recreate();
    for (const consumer of orphaned) consumer.end('Consumer Deleted');
  }

  /** What a server that is killed keeps of it. */
  crash(): void {
    this.consumers.clear();
    if (this.definition.storage === 'file') return;
    this.recreate();
    this.exists = false;
  }

  private isMet({ key, revision }: Expectation): boolean {
    return (this.kept(key)?.revision ?? 0) === revision;
  }

  private keep(key: string, data: string | undefined): KeptMessage {
    this.changes += 1;
    this.revision += 1;
    const message = {
      key,
      data: data ?? '',
      deleted: data === undefined,
      revision: this.revision,
      writtenAtMs: this.clock.wallMs(),
      storedAtMs: this.clock.elapsedMs(),
    };
    const before = this.messages.get(key);
    if (before) this.replaced.set(key, before);
    this.messages.delete(key);
    this.messages.set(key, message);
    return message;
  }

  private under(matches: Matches): KeptMessage[] {
    const found: KeptMessage[] = [];
    for (const key of this.messages.keys()) {
      const message = matches(key) ? this.kept(key) : undefined;
      if (message) found.push(message);
    }
    return found;
  }

  private kept(key: string): KeptMessage | undefined {
    const message = this.messages.get(key);
    const { maxAgeMs } = this.definition;
    if (message && maxAgeMs !== undefined && this.clock.elapsedMs() - message.storedAtMs >= maxAgeMs) {
      this.messages.delete(key);
      return undefined;
    }
    return message;
  }

  private requireExists(): void {
    if (!this.exists) throw new PlimsollError('unavailable', `There is no stream for bucket ${this.definition.name}`);
  }
}
