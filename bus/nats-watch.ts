/**
 * A watch that does not trust silence: it follows a part of a stream with a push consumer, checks that nothing is missing
 * from the numbering, expects a heartbeat each second, compares itself with the stream every 5 s and reads everything anew
 * every 30 s. Whenever in doubt it starts over.
 */

import type { Msg, Subscription } from '@nats-io/transport-node';
import { nanos } from '@nats-io/transport-node';
import { z } from 'zod';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { isOwnKey } from './bucket-definitions.ts';
import type { BusMetrics } from './bus-metrics.ts';
import { isDeleteMarker } from './kv-layout.ts';
import { type NatsLink, REQUEST_TIMEOUT_MS } from './nats-connection.ts';
import { natsFailure } from './nats-failure.ts';
import type { RawWatch, StoredMessage, WatchSink } from './raw-bucket.ts';

const HEARTBEAT_MS = 2_000;
const SILENCE_MS = 5_000;
const INSPECT_MS = 1_000;
const COMPARE_MS = 5_000;
const REREAD_MS = 30_000;
const RETRY_MS = 250;
/** Time for messages under way before a difference counts as a gap. */
const SETTLE_MS = 500;

const CONTROL_STATUS = 100;

export interface NatsWatchParts {
  readonly link: NatsLink;
  readonly name: string;
  readonly stream: string;
  readonly subjectPrefix: string;
  readonly filterSubject: string;
  readonly sink: WatchSink;
  /** The stream's last revision under the filter, 0 for none; undefined where we may not ask. */
  readonly lastRevision: (() => Promise<number>) | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BusMetrics;
}

const ConsumerCreated = z.union([
  z.object({ error: z.object({ code: z.number(), description: z.string() }) }),
  z.object({ num_pending: z.number() }),
]);

type RebuildReason = 'silent' | 'gap' | 'behind' | 'reread' | 'reconnect' | 'failed';

/** One consumer's life: from its subscription to the next one's. */
interface Delivery {
  readonly subscription: Subscription;
  readonly initial: StoredMessage[];
  /** How many messages the first reading has; undefined until the server said. */
  expected: number | undefined;
  complete: boolean;
  consumerSequence: number;
  heardAtMs: number;
}

export class NatsWatch implements RawWatch {
  private readonly parts: NatsWatchParts;
  private delivery: Delivery | undefined;
  private highest = 0;
  private rebuilding: Promise<void> | undefined;
  private readonly closing = new AbortController();
  private stopListening = () => {};
  private onComplete = () => {};

  constructor(parts: NatsWatchParts) {
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
    this.stopListening = this.parts.link.onConnectionChange((connected) => {
      if (connected) this.rebuild('reconnect');
      else this.parts.sink.stale();
    });
    void this.repeat(INSPECT_MS, () => this.inspect());
    void this.repeat(COMPARE_MS, () => this.compare());
    void this.repeat(REREAD_MS, () => this.rebuild('reread'));
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.onComplete();
    this.stopListening();
    this.delivery?.subscription.unsubscribe();
    this.delivery = undefined;
  }

  private async repeat(everyMs: number, work: () => Promise<void> | void): Promise<void> {
    const { clock, log, name } = this.parts;
    const { signal } = this.closing;
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal).catch(() => undefined);
      if (signal.aborted || !this.parts.link.connected) continue;
      try {
        await work();
      } catch (error) {
        log.warn({ bucket: name, error: messageOf(error) }, 'a watch could not check itself');
      }
    }
  }

  /** A consumer that sends nothing, not even heartbeats, is gone: with a restarted server, or a frozen one. */
  private inspect(): void {
    if (!this.delivery || this.rebuilding) return;
    if (this.parts.clock.elapsedMs() - this.delivery.heardAtMs > SILENCE_MS) this.rebuild('silent');
  }

  private async compare(): Promise<void> {
    const { lastRevision, clock } = this.parts;
    if (!lastRevision || !(await this.differs(lastRevision))) return;
    await clock.sleep(SETTLE_MS, this.closing.signal).catch(() => undefined);
    if (!this.closing.signal.aborted && (await this.differs(lastRevision))) this.rebuild('behind');
  }

  private async differs(lastRevision: () => Promise<number>): Promise<boolean> {
    const before = this.highest;
    const last = await lastRevision();
    return last > this.highest || (last < before && before === this.highest);
  }

  /** Starts over, again and again until it works; what is asked meanwhile is one and the same. */
  private rebuild(reason: RebuildReason): void {
    if (this.closing.signal.aborted || this.rebuilding) return;
    const { log, metrics, name, sink } = this.parts;
    metrics.watchRebuilds.inc({ bucket: name, reason });
    if (reason !== 'reread') {
      sink.stale();
      log.info({ bucket: name, reason }, 'a watch starts over');
    }
    this.rebuilding = this.openUntilItWorks().finally(() => {
      this.rebuilding = undefined;
    });
  }

  private async openUntilItWorks(): Promise<void> {
    const { clock, log, name } = this.parts;
    while (!this.closing.signal.aborted) {
      try {
        await this.open();
        return;
      } catch (error) {
        this.parts.sink.stale();
        log.warn({ bucket: name, error: messageOf(error) }, 'a watch could not start over and tries again');
        await clock.sleep(RETRY_MS, this.closing.signal).catch(() => undefined);
      }
    }
  }

  private async open(): Promise<void> {
    this.delivery?.subscription.unsubscribe();
    const { link, clock } = this.parts;
    link.requireConnected();
    const inbox = link.inbox();
    const subscription = link.connection.subscribe(inbox, {
      callback: (error, message) => this.guarded(delivery, error, message),
    });
    const delivery: Delivery = {
      subscription,
      initial: [],
      expected: undefined,
      complete: false,
      consumerSequence: 0,
      heardAtMs: clock.elapsedMs(),
    };
    this.delivery = delivery;
    const completed = new Promise<void>((resolve) => {
      this.onComplete = resolve;
    });
    delivery.expected = await this.createConsumer(inbox);
    this.completeIfWhole(delivery);
    await this.waitFor(completed);
  }

  private async createConsumer(inbox: string): Promise<number> {
    const { link, stream, filterSubject } = this.parts;
    const name = `${link.userName}-${crypto.randomUUID()}`;
    const config = {
      name,
      deliver_policy: 'last_per_subject',
      ack_policy: 'none',
      filter_subject: filterSubject,
      deliver_subject: inbox,
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      mem_storage: true,
      num_replicas: 1,
    };
    const subject = `$JS.API.CONSUMER.CREATE.${stream}.${name}.${filterSubject}`;
    const request = JSON.stringify({ stream_name: stream, config, action: 'create' });
    const action = `watch ${filterSubject}`;
    let reply: Msg;
    try {
      reply = await link.connection.request(subject, request, { timeout: REQUEST_TIMEOUT_MS });
    } catch (error) {
      throw natsFailure(error, action);
    }
    const created = ConsumerCreated.parse(reply.json());
    if ('num_pending' in created) return created.num_pending;
    throw new PlimsollError('unavailable', `Cannot ${action}: ${created.error.description}`);
  }

  private waitFor(completed: Promise<void>): Promise<void> {
    const { clock, filterSubject } = this.parts;
    const late = () => new PlimsollError('timeout', `Cannot watch ${filterSubject}: its content did not arrive`);
    return withDeadline(clock, 2 * REQUEST_TIMEOUT_MS, completed, late);
  }

  /** Callbacks of a connection must never throw. */
  private guarded(delivery: Delivery, error: Error | null, message: Msg): void {
    const { log, name } = this.parts;
    if (delivery !== this.delivery) return;
    if (error) return log.warn({ bucket: name, error: messageOf(error) }, 'NATS refused a watch its subject');
    try {
      this.receive(delivery, message);
    } catch (thrown) {
      log.error({ bucket: name, error: messageOf(thrown) }, 'a watch got a message it cannot read');
      this.rebuild('failed');
    }
  }

  private receive(delivery: Delivery, message: Msg): void {
    delivery.heardAtMs = this.parts.clock.elapsedMs();
    const status = message.headers?.code ?? 0;
    if (status === CONTROL_STATUS) return this.receiveControl(delivery, message);
    if (status !== 0) return this.rebuild('gap');
    const place = placeOf(message.reply);
    if (place.consumerSequence !== delivery.consumerSequence + 1) return this.rebuild('gap');
    delivery.consumerSequence = place.consumerSequence;
    this.take(delivery, message, place);
  }

  private receiveControl(delivery: Delivery, message: Msg): void {
    const stalled = message.headers?.get('Nats-Consumer-Stalled');
    const answerTo = message.reply || stalled;
    if (answerTo) this.parts.link.connection.publish(answerTo);
    const last = message.headers?.get('Nats-Last-Consumer');
    if (last && Number(last) > delivery.consumerSequence) this.rebuild('gap');
  }

  private take(delivery: Delivery, message: Msg, place: Place): void {
    const stored: StoredMessage = {
      key: message.subject.slice(this.parts.subjectPrefix.length),
      data: message.string(),
      deleted: isDeleteMarker(message.headers),
      revision: place.streamSequence,
      writtenAtMs: place.timestampMs,
    };
    if (delivery.complete) {
      this.highest = Math.max(this.highest, stored.revision);
      if (!isOwnKey(stored.key)) this.parts.sink.apply([stored]);
      return;
    }
    delivery.initial.push(stored);
    this.completeIfWhole(delivery, place.pending === 0);
  }

  private completeIfWhole(delivery: Delivery, noneLeft = false): void {
    if (delivery.complete || delivery.expected === undefined) return;
    if (!noneLeft && delivery.initial.length < delivery.expected) return;
    delivery.complete = true;
    this.highest = delivery.initial.reduce((highest, message) => Math.max(highest, message.revision), 0);
    this.parts.sink.replace(delivery.initial.filter((message) => !isOwnKey(message.key)));
    delivery.initial.length = 0;
    this.onComplete();
  }
}

interface Place {
  readonly streamSequence: number;
  readonly consumerSequence: number;
  readonly timestampMs: number;
  readonly pending: number;
}

/** Where a message stands, from its reply subject: `$JS.ACK.[domain.account.]stream.consumer.n.stream.consumer.time.pending`. */
function placeOf(reply: string | undefined): Place {
  const tokens = reply?.split('.') ?? [];
  const [streamSequence, consumerSequence, nanoseconds, pending] = tokens
    .slice(tokens.length === 9 ? 5 : 7)
    .map((token) => Number(token));
  if (streamSequence === undefined || consumerSequence === undefined || nanoseconds === undefined) {
    throw new PlimsollError('internal', `A watched message has no place in its stream: "${reply}"`);
  }
  return { streamSequence, consumerSequence, timestampMs: Math.floor(nanoseconds / 1e6), pending: pending ?? 0 };
}
