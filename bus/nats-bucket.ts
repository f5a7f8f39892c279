/** A bucket as a JetStream stream: `$KV.<bucket>.<key>`, one message per key, the KV layout every NATS tool knows. */
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { BusMetrics } from './bus-metrics.ts';
import { CheckedWatch } from './checked-watch.ts';
import { requestTimeoutMs } from './deadlines.ts';
import { deleteMarkerHeaders, isDeleteMarker, streamOf, subjectOf } from './kv-layout.ts';
import { publishBatch, takesBatchesSince } from './nats-batch.ts';
import type { NatsLink } from './nats-connection.ts';
import { NatsConsumers } from './nats-consumers.ts';
import { natsFailure } from './nats-failure.ts';
import type { Expectation, RawBucket, RawWatch, RawWrite, StoredMessage, WatchSink } from './raw-bucket.ts';

/** Delete markers need to outlive every watch's full re-read (30 s) by far, then they only pile up. */
const MARKER_SECONDS = 3_600;

export interface NatsBucketParts {
  readonly link: NatsLink;
  readonly name: string;
  /**
   * `leader`: ask the stream's leader. `nearest`: ask whoever has the key, all a node may do. `watch`: by a watch that
   * ends at once, for what nodes write: an answer with their own text in it must not go where they say.
   */
  readonly reads: 'leader' | 'nearest' | 'watch';
  /** The subject a key is written through. */
  readonly writeSubject: (key: string) => string;
  /** The stream lets single messages expire (2.11). */
  readonly expiresMarkers: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BusMetrics;
}

interface ExpectedSequence {
  readonly lastSubjectSequence: number;
  /** Absent: of the subject written. */
  readonly lastSubjectSequenceSubject?: string;
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
      ...(data === undefined ? { headers: deleteMarkerHeaders(this.markerSeconds()) } : {}),
      timeout: requestTimeoutMs,
      ...(expectation ? { expect: this.expected(key, expectation) } : {}),
    };
    const send = () => link.jetstream.publish(this.parts.writeSubject(key), data ?? '', options);
    const acknowledgement = await this.settled(`write ${this.name} ${key}`, send);
    return acknowledgement.seq;
  }

  async writeTogether(writes: readonly RawWrite[]): Promise<number | undefined> {
    const { link } = this.parts;
    if (!link.serverIsSince(takesBatchesSince)) return undefined;
    const messages = writes.map(({ key, data, expectation }) => {
      const own = data === undefined ? deleteMarkerHeaders(this.markerSeconds()) : headers();
      const { lastSubjectSequence, lastSubjectSequenceSubject } = this.expected(key, expectation);
      own.set('Nats-Expected-Last-Subject-Sequence', String(lastSubjectSequence));
      if (lastSubjectSequenceSubject)
        own.set('Nats-Expected-Last-Subject-Sequence-Subject', lastSubjectSequenceSubject);
      return { subject: this.parts.writeSubject(key), data: data ?? '', headers: own };
    });
    const action = `write ${writes.length} keys of ${this.name} at once`;
    return this.settled(action, () => publishBatch(link.connection, messages));
  }

  async read(key: string): Promise<StoredMessage | undefined> {
    if (this.parts.reads === 'watch') return this.readByWatch(key);
    const message = await this.settled(`read ${this.name} ${key}`, () => this.lastMessage(key));
    return message ? storedMessage(subjectOf(this.name, '').length, message) : undefined;
  }

  async watch(filter: string, sink: WatchSink): Promise<RawWatch> {
    const { link, clock, log, metrics } = this.parts;
    const source = new NatsConsumers({
      link,
      stream: streamOf(this.name),
      subjectPrefix: subjectOf(this.name, ''),
      filterSubject: subjectOf(this.name, filter),
      lastRevision: this.parts.reads === 'watch' ? undefined : async () => (await this.read(filter))?.revision ?? 0,
      log,
    });
    const watch = new CheckedWatch({ source, bucket: this.name, filter, sink, clock, log, metrics });
    await watch.start();
    return watch;
  }

  private async readByWatch(key: string): Promise<StoredMessage | undefined> {
    let found: StoredMessage | undefined;
    const keep = (messages: readonly StoredMessage[]) => {
      found = messages.at(-1) ?? found;
    };
    const watch = await this.watch(key, { replace: keep, apply: keep, stale: () => {} });
    await watch.close();
    return found;
  }

  private markerSeconds(): number | undefined {
    return this.parts.expiresMarkers ? MARKER_SECONDS : undefined;
  }

  private lastMessage(key: string): Promise<ReadMessage | null> {
    const { manager } = this.parts.link;
    const query = { last_by_subj: subjectOf(this.name, key) };
    if (this.parts.reads === 'leader') return manager.streams.getMessage(streamOf(this.name), query);
    return manager.direct.getMessage(streamOf(this.name), query);
  }

  /** Servers before 2.12 know only the revision of the key that is written. */
  private expected(key: string, expectation: Expectation): ExpectedSequence {
    const lastSubjectSequence = expectation.revision;
    if (expectation.key === key) return { lastSubjectSequence };
    return { lastSubjectSequence, lastSubjectSequenceSubject: subjectOf(this.name, expectation.key) };
  }

  /** `work` with our own deadline: a request under way when the connection closes may never settle by itself. */
  private async settled<R>(action: string, work: () => Promise<R>): Promise<R> {
    this.parts.link.requireConnected();
    const timeout = () => new PlimsollError('timeout', `Cannot ${action}: no answer within ${requestTimeoutMs} ms`);
    try {
      return await withDeadline(this.parts.clock, requestTimeoutMs, work(), timeout);
    } catch (error) {
      throw natsFailure(error, action);
    }
  }
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
