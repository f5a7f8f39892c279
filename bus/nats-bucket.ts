/** A bucket as a JetStream stream: `$KV.<bucket>.<key>`, one message per key, the KV layout every NATS tool knows. */
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { BusMetrics } from './bus-metrics.ts';
import { type NatsLink, REQUEST_TIMEOUT_MS } from './nats-connection.ts';
import { natsFailure } from './nats-failure.ts';
import { NatsWatch } from './nats-watch.ts';
import type { Expectation, RawBucket, RawWatch, StoredMessage, WatchSink } from './raw-bucket.ts';

const OPERATION_HEADER = 'KV-Operation';
const TIME_TO_LIVE_HEADER = 'Nats-TTL';
/** Delete markers need to outlive every watch's full re-read (30 s) by far, then they only pile up. */
const MARKER_SECONDS = 3_600;

export interface NatsBucketParts {
  readonly link: NatsLink;
  readonly name: string;
  /** Ask the stream's leader (coordinators) or whoever is nearest (nodes: the only read they may do). */
  readonly readsFromLeader: boolean;
  /** The stream lets single messages expire (2.11). */
  readonly expiresMarkers: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BusMetrics;
}

interface ReadMessage {
  readonly subject: string;
  readonly seq: number;
  readonly time: Date;
  readonly header: MsgHdrs;
  string(): string;
}

export class NatsBucket implements RawBucket {
  readonly name: string;
  private readonly parts: NatsBucketParts;

  constructor(parts: NatsBucketParts) {
    this.name = parts.name;
    this.parts = parts;
  }

  async write(key: string, data: string | undefined, expectation?: Expectation): Promise<number> {
    const { link } = this.parts;
    const options = {
      headers: this.headersOf(data),
      timeout: REQUEST_TIMEOUT_MS,
      ...(expectation ? { expect: this.expected(key, expectation) } : {}),
    };
    const send = () => link.jetstream.publish(this.subjectOf(key), data ?? '', options);
    const acknowledgement = await this.settled(`write ${this.name} ${key}`, send);
    return acknowledgement.seq;
  }

  async read(key: string): Promise<StoredMessage | undefined> {
    const message = await this.settled(`read ${this.name} ${key}`, () => this.lastMessage(key));
    return message ? storedMessage(this.subjectOf('').length, message) : undefined;
  }

  async watch(filter: string, sink: WatchSink): Promise<RawWatch> {
    const watch = new NatsWatch({
      ...this.parts,
      stream: streamOf(this.name),
      subjectPrefix: this.subjectOf(''),
      filterSubject: this.subjectOf(filter),
      sink,
      lastRevision: async () => (await this.read(filter))?.revision ?? 0,
    });
    await watch.start();
    return watch;
  }

  private subjectOf(key: string): string {
    return `$KV.${this.name}.${key}`;
  }

  private lastMessage(key: string): Promise<ReadMessage | null> {
    const { manager } = this.parts.link;
    const query = { last_by_subj: this.subjectOf(key) };
    if (this.parts.readsFromLeader) return manager.streams.getMessage(streamOf(this.name), query);
    return manager.direct.getMessage(streamOf(this.name), query);
  }

  private headersOf(data: string | undefined): MsgHdrs {
    const own = headers();
    if (data === undefined) {
      own.set(OPERATION_HEADER, 'DEL');
      if (this.parts.expiresMarkers) own.set(TIME_TO_LIVE_HEADER, `${MARKER_SECONDS}s`);
    }
    return own;
  }

  /** Servers before 2.12 know only the revision of the key that is written. */
  private expected(key: string, expectation: Expectation) {
    const lastSubjectSequence = expectation.revision;
    if (expectation.key === key) return { lastSubjectSequence };
    return { lastSubjectSequence, lastSubjectSequenceSubject: this.subjectOf(expectation.key) };
  }

  /** `work` with our own deadline: a request under way when the connection closes may never settle by itself. */
  private async settled<R>(action: string, work: () => Promise<R>): Promise<R> {
    this.parts.link.requireConnected();
    const timeout = () => new PlimsollError('timeout', `Cannot ${action}: no answer within ${REQUEST_TIMEOUT_MS} ms`);
    try {
      return await withDeadline(this.parts.clock, REQUEST_TIMEOUT_MS, work(), timeout);
    } catch (error) {
      throw natsFailure(error, action);
    }
  }
}

export function streamOf(bucket: string): string {
  return `KV_${bucket}`;
}

/** A message's headers say whether it deletes. */
export function isDeleteMarker(header: MsgHdrs | undefined): boolean {
  if (!header) return false;
  return header.has('Nats-Marker-Reason') || (header.has(OPERATION_HEADER) && header.get(OPERATION_HEADER) !== 'PUT');
}

function storedMessage(prefixLength: number, message: ReadMessage): StoredMessage {
  return {
    key: message.subject.slice(prefixLength),
    data: message.string(),
    deleted: isDeleteMarker(message.header),
    revision: message.seq,
    writtenAtMs: message.time.getTime(),
  };
}
