/**
 * A watch that does not trust silence: it follows a part of a stream through a push consumer, checks that nothing is
 * missing from the numbering, expects a heartbeat every 2 s, compares itself with the stream every 5 s and reads everything
 * anew every 30 s. Whenever in doubt it starts over. What a consumer is, its source knows: NATS, or the tests' memory.
 */
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { isOwnKey } from './bucket-definitions.ts';
import type { BusMetrics } from './bus-metrics.ts';
import { requestTimeoutMs } from './deadlines.ts';
import type { RawWatch, StoredMessage, WatchSink } from './raw-bucket.ts';

/** How often a consumer with nothing to say says so. */
export const heartbeatMs = 2_000;
export const silenceMs = 5_000;
export const compareMs = 5_000;
export const rereadMs = 30_000;
const RETRY_MS = 250;
/** Time for messages under way before a difference counts as a gap. */
const SETTLE_MS = 500;

/** A message with its number among those of its consumer (from 1), and how many come after it. */
export interface DeliveredMessage {
  readonly stored: StoredMessage;
  readonly consumerSequence: number;
  readonly pending: number;
}

/** What a consumer tells; its methods must not throw. */
export interface ConsumerSink {
  message(delivered: DeliveredMessage): void;
  /** A heartbeat, with the number of the last message sent where the consumer tells it. */
  heartbeat(lastConsumerSequence: number | undefined): void;
  /** The server ended the consumer, or sent what nobody can read. */
  broken(problem: string): void;
}

/** One push consumer: the last message of every key, then every further one. */
export interface Consumer {
  /** How many messages the first reading has. Rejects with `unavailable` or `timeout`. */
  readonly pending: Promise<number>;
  stop(): void;
}

export interface ConsumerSource {
  readonly connected: boolean;
  /** True for ever once the connection was closed for good. */
  readonly closed: boolean;
  onConnectionChange(listener: (connected: boolean) => void): () => void;
  open(sink: ConsumerSink): Consumer;
  /** The stream's last revision under the watch's filter, 0 for none; undefined where we may not ask. */
  readonly lastRevision: (() => Promise<number>) | undefined;
}

export interface CheckedWatchParts {
  readonly source: ConsumerSource;
  readonly bucket: string;
  readonly filter: string;
  readonly sink: WatchSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BusMetrics;
}

type RebuildReason = 'silent' | 'gap' | 'behind' | 'reread' | 'reconnect' | 'broken';

/** One consumer's life: from its opening to the next one's. */
interface Delivery {
  consumer: Consumer | undefined;
  readonly initial: StoredMessage[];
  /** How many messages the first reading has; undefined until the server said. */
  expected: number | undefined;
  /** The last message of the first reading has come, perhaps before the server said how many there are. */
  sawLast: boolean;
  complete: boolean;
  readonly completed: Promise<void>;
  readonly onComplete: () => void;
  /** Gives the first reading up. */
  readonly fail: (error: Error) => void;
  consumerSequence: number;
  heardAtMs: number;
}

export class CheckedWatch implements RawWatch {
  private readonly parts: CheckedWatchParts;
  private delivery: Delivery | undefined;
  private highest = 0;
  private rebuilding: Promise<void> | undefined;
  private readonly closing = new AbortController();
  /** The ways to take back what is to be done later. */
  private readonly alarms = new Set<() => void>();
  private stopListening = () => {};

  constructor(parts: CheckedWatchParts) {
    this.parts = parts;
  }

  /** Resolves once the sink has the whole content. Throws when the first reading fails. */
  async start(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.stopListening = this.parts.source.onConnectionChange((connected) => this.connectionChanged(connected));
    this.expectHeartbeats();
    const { lastRevision } = this.parts.source;
    if (lastRevision) this.repeat(compareMs, () => this.compare(lastRevision));
    this.repeat(rereadMs, () => this.rebuild('reread'));
  }

  async close(): Promise<void> {
    this.closing.abort();
    for (const cancel of this.alarms) cancel();
    this.alarms.clear();
    this.stopListening();
    this.delivery?.consumer?.stop();
    this.delivery?.onComplete();
    this.delivery = undefined;
  }

  private connectionChanged(connected: boolean): void {
    if (connected) return this.rebuild('reconnect');
    this.parts.sink.stale();
    this.delivery?.fail(new PlimsollError('unavailable', 'Cannot reach NATS: the connection broke'));
    if (this.parts.source.closed) void this.close();
  }

  /** Does the work that long after each time it was done, until the watch is closed. */
  private repeat(everyMs: number, work: () => Promise<void> | void): void {
    this.later(everyMs, () => void this.checkWith(work).then(() => this.repeat(everyMs, work)));
  }

  private async checkWith(work: () => Promise<void> | void): Promise<void> {
    try {
      if (this.parts.source.connected) await work();
    } catch (error) {
      this.parts.log.warn({ bucket: this.parts.bucket, error: messageOf(error) }, 'a watch could not check itself');
    }
  }

  /** Unless the watch is closed before. Every watch waits most of the time: without a promise and a signal's listener. */
  private later(delayMs: number, work: () => void): void {
    if (this.closing.signal.aborted) return;
    const cancel = this.parts.clock.after(delayMs, () => {
      this.alarms.delete(cancel);
      work();
    });
    this.alarms.add(cancel);
  }

  /** A consumer that sends nothing, not even heartbeats, is gone: with a restarted server, or a frozen one. */
  private expectHeartbeats(): void {
    const silentMs = this.parts.clock.elapsedMs() - (this.delivery?.heardAtMs ?? 0);
    const isSilent = this.delivery && !this.rebuilding && this.parts.source.connected && silentMs > silenceMs;
    if (isSilent) this.rebuild('silent');
    const waitMs = silentMs > silenceMs ? silenceMs : silenceMs - silentMs + 1;
    this.later(waitMs, () => this.expectHeartbeats());
  }

  private async compare(lastRevision: () => Promise<number>): Promise<void> {
    if (!(await this.differs(lastRevision))) return;
    await this.parts.clock.sleep(SETTLE_MS, this.closing.signal).catch(() => undefined);
    if (!this.closing.signal.aborted && (await this.differs(lastRevision))) this.rebuild('behind');
  }

  private async differs(lastRevision: () => Promise<number>): Promise<boolean> {
    const before = this.highest;
    const last = await lastRevision();
    const { bucket, filter, metrics } = this.parts;
    metrics.watchLag.set({ bucket, filter }, Math.max(0, last - this.highest));
    return last > this.highest || (last < before && before === this.highest);
  }

  /** Starts over, again and again until it works; what is asked meanwhile is one and the same. */
  private rebuild(reason: RebuildReason): void {
    if (this.closing.signal.aborted || this.rebuilding) return;
    const { log, metrics, bucket, sink } = this.parts;
    metrics.watchRebuilds.inc({ bucket, reason });
    if (reason !== 'reread') {
      sink.stale();
      log.info({ bucket, reason }, 'a watch starts over');
    }
    this.rebuilding = this.openUntilItWorks().finally(() => {
      this.rebuilding = undefined;
    });
  }

  private async openUntilItWorks(): Promise<void> {
    const { clock, log, bucket } = this.parts;
    while (!this.closing.signal.aborted) {
      try {
        await this.open();
        return;
      } catch (error) {
        this.parts.sink.stale();
        log.warn({ bucket, error: messageOf(error) }, 'a watch could not start over and tries again');
        await clock.sleep(RETRY_MS, this.closing.signal).catch(() => undefined);
      }
    }
  }

  private async open(): Promise<void> {
    this.delivery?.consumer?.stop();
    const { source } = this.parts;
    if (!source.connected) throw new PlimsollError('unavailable', 'Cannot reach NATS: the connection is down');
    const delivery = newDelivery(this.parts.clock.elapsedMs());
    this.delivery = delivery;
    const consumer = source.open(this.sinkOf(delivery));
    delivery.consumer = consumer;
    consumer.pending.then((expected) => this.expect(delivery, expected), delivery.fail);
    await this.inTime(delivery.completed);
  }

  private expect(delivery: Delivery, expected: number): void {
    delivery.expected = expected;
    this.completeIfWhole(delivery);
  }

  private inTime(completed: Promise<void>): Promise<void> {
    const { clock, bucket, filter } = this.parts;
    const late = () => new PlimsollError('timeout', `Cannot watch ${bucket} ${filter}: its content did not arrive`);
    return withDeadline(clock, 2 * requestTimeoutMs, completed, late);
  }

  private sinkOf(delivery: Delivery): ConsumerSink {
    return {
      message: (delivered) => this.hear(delivery, () => this.receive(delivery, delivered)),
      heartbeat: (last) =>
        this.hear(delivery, () => {
          if (last !== undefined && last > delivery.consumerSequence) this.startOver(delivery, 'gap');
        }),
      broken: (problem) =>
        this.hear(delivery, () => {
          this.parts.log.warn({ bucket: this.parts.bucket, problem }, 'the consumer of a watch broke');
          this.startOver(delivery, 'broken');
        }),
    };
  }

  /** What a consumer says that was given up does not count. */
  private hear(delivery: Delivery, take: () => void): void {
    if (delivery !== this.delivery) return;
    delivery.heardAtMs = this.parts.clock.elapsedMs();
    take();
  }

  /** A first reading that is in doubt fails; who asked for it tries again. */
  private startOver(delivery: Delivery, reason: RebuildReason): void {
    if (delivery.complete) return this.rebuild(reason);
    const { bucket, filter } = this.parts;
    delivery.fail(
      new PlimsollError('unavailable', `Cannot watch ${bucket} ${filter}: its first reading was not whole (${reason})`),
    );
  }

  private receive(delivery: Delivery, { stored, consumerSequence, pending }: DeliveredMessage): void {
    if (consumerSequence !== delivery.consumerSequence + 1) return this.startOver(delivery, 'gap');
    delivery.consumerSequence = consumerSequence;
    if (delivery.complete) {
      this.highest = Math.max(this.highest, stored.revision);
      if (!isOwnKey(stored.key)) this.parts.sink.apply([stored]);
      return;
    }
    delivery.initial.push(stored);
    delivery.sawLast ||= pending === 0;
    this.completeIfWhole(delivery);
  }

  private completeIfWhole(delivery: Delivery): void {
    if (delivery.complete || delivery.expected === undefined) return;
    if (!delivery.sawLast && delivery.initial.length < delivery.expected) return;
    delivery.complete = true;
    this.highest = delivery.initial.reduce((highest, message) => Math.max(highest, message.revision), 0);
    this.parts.sink.replace(delivery.initial.filter((message) => !isOwnKey(message.key)));
    delivery.initial.length = 0;
    delivery.onComplete();
  }
}

function newDelivery(heardAtMs: number): Delivery {
  let onComplete: () => void = () => {};
  let fail: (error: Error) => void = () => {};
  const completed = new Promise<void>((resolve, reject) => {
    onComplete = resolve;
    fail = reject;
  });
  // Nobody may be waiting any more when it fails.
  completed.catch(() => undefined);
  const progress = { expected: undefined, sawLast: false, complete: false, consumerSequence: 0 };
  return { consumer: undefined, initial: [], ...progress, completed, onComplete, fail, heardAtMs };
}
