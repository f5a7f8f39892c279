/** Push consumers of a NATS stream, as a watch follows them. */
import type { Msg, Subscription } from '@nats-io/transport-node';
import { nanos } from '@nats-io/transport-node';
import { z } from 'zod';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { type Consumer, type ConsumerSink, type ConsumerSource, heartbeatMs } from './checked-watch.ts';
import { requestTimeoutMs } from './deadlines.ts';
import { isDeleteMarker } from './kv-layout.ts';
import type { NatsLink } from './nats-connection.ts';
import { natsFailure } from './nats-failure.ts';

const CONTROL_STATUS = 100;

export interface NatsConsumersParts {
  readonly link: NatsLink;
  readonly stream: string;
  readonly subjectPrefix: string;
  readonly filterSubject: string;
  readonly lastRevision: (() => Promise<number>) | undefined;
  readonly log: Log;
}

const ConsumerCreated = z.union([
  z.object({ error: z.object({ code: z.number(), description: z.string() }) }),
  z.object({ num_pending: z.number() }),
]);

export class NatsConsumers implements ConsumerSource {
  readonly lastRevision: (() => Promise<number>) | undefined;
  private readonly parts: NatsConsumersParts;

  constructor(parts: NatsConsumersParts) {
    this.parts = parts;
    this.lastRevision = parts.lastRevision;
  }

  get connected(): boolean {
    return this.parts.link.connected;
  }

  get closed(): boolean {
    return this.parts.link.closed;
  }

  onConnectionChange(listener: (connected: boolean) => void): () => void {
    return this.parts.link.onConnectionChange(listener);
  }

  open(sink: ConsumerSink): Consumer {
    const { link } = this.parts;
    const inbox = link.inbox();
    const subscription: Subscription = link.connection.subscribe(inbox, {
      callback: (error, message) => this.receive(sink, error, message),
    });
    return { pending: this.create(inbox), stop: () => subscription.unsubscribe() };
  }

  private async create(inbox: string): Promise<number> {
    const { link, stream, filterSubject } = this.parts;
    const name = `${link.userName}-${crypto.randomUUID()}`;
    const subject = `$JS.API.CONSUMER.CREATE.${stream}.${name}.${filterSubject}`;
    const config = consumerConfig(name, inbox, filterSubject);
    const action = `watch ${filterSubject}`;
    let reply: Msg;
    try {
      const request = JSON.stringify({ stream_name: stream, config, action: 'create' });
      reply = await link.connection.request(subject, request, { timeout: requestTimeoutMs });
    } catch (error) {
      throw natsFailure(error, action);
    }
    const created = ConsumerCreated.parse(reply.json());
    if ('num_pending' in created) return created.num_pending;
    throw new PlimsollError('unavailable', `Cannot ${action}: ${created.error.description}`);
  }

  /** Callbacks of a connection must never throw. */
  private receive(sink: ConsumerSink, error: Error | null, message: Msg): void {
    const { log, filterSubject } = this.parts;
    if (error) return log.warn({ filterSubject, error: messageOf(error) }, 'NATS refused a watch its subject');
    const status = message.headers?.code ?? 0;
    try {
      if (status === CONTROL_STATUS) this.receiveControl(sink, message);
      else if (status !== 0) sink.broken(message.headers?.description ?? `status ${status}`);
      else this.receiveStored(sink, message);
    } catch (thrown) {
      sink.broken(messageOf(thrown));
    }
  }

  private receiveControl(sink: ConsumerSink, message: Msg): void {
    const stalled = message.headers?.get('Nats-Consumer-Stalled');
    const answerTo = message.reply || stalled;
    if (answerTo) this.parts.link.connection.publish(answerTo);
    const last = message.headers?.get('Nats-Last-Consumer');
    sink.heartbeat(last ? Number(last) : undefined);
  }

  private receiveStored(sink: ConsumerSink, message: Msg): void {
    const { streamSequence, consumerSequence, timestampMs, pending } = placeOf(message.reply);
    const stored = {
      key: message.subject.slice(this.parts.subjectPrefix.length),
      data: message.string(),
      deleted: isDeleteMarker(message.headers),
      revision: streamSequence,
      writtenAtMs: timestampMs,
    };
    sink.message({ stored, consumerSequence, pending });
  }
}

function consumerConfig(name: string, inbox: string, filterSubject: string) {
  return {
    name,
    deliver_policy: 'last_per_subject',
    ack_policy: 'none',
    filter_subject: filterSubject,
    deliver_subject: inbox,
    flow_control: true,
    idle_heartbeat: nanos(heartbeatMs),
    mem_storage: true,
    num_replicas: 1,
  };
}

interface Place {
  readonly streamSequence: number;
  readonly consumerSequence: number;
  readonly timestampMs: number;
  readonly pending: number;
}

/** Where a message stands, from its reply subject: `$JS.ACK.[domain.account.]stream.consumer.n.stream.consumer.time.pending`. */
export function placeOf(reply: string | undefined): Place {
  const tokens = reply?.split('.') ?? [];
  const [streamSequence, consumerSequence, nanoseconds, pending] = tokens
    .slice(tokens.length === 9 ? 5 : 7)
    .map((token) => Number(token));
  if (streamSequence === undefined || consumerSequence === undefined || nanoseconds === undefined) {
    throw new PlimsollError('internal', `A watched message has no place in its stream: "${reply}"`);
  }
  return { streamSequence, consumerSequence, timestampMs: Math.floor(nanoseconds / 1e6), pending: pending ?? 0 };
}
