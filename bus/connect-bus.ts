/** The way in: one connection for a node or a coordinator, as Bus and Buckets. */
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { type BucketName, bucketDefinition, bucketDefinitions } from './bucket-definitions.ts';
import type { Buckets } from './buckets.ts';
import type { Bus } from './bus.ts';
import { busMetrics } from './bus-metrics.ts';
import { type UserIdentity, userNameOf } from './identity/user-identity.ts';
import { guardedSubjectOf, subjectOf } from './kv-layout.ts';
import { MeasuredBucket } from './measured-bucket.ts';
import { takesBatchesSince } from './nats-batch.ts';
import { NatsBucket, type NatsBucketParts } from './nats-bucket.ts';
import { type NatsLink, openLink, type Version } from './nats-connection.ts';
import { NatsWire } from './nats-wire.ts';
import { openStreams, type StreamChoices } from './open-streams.ts';
import type { RawBucket } from './raw-bucket.ts';
import { recordBuckets } from './record-buckets.ts';
import { WireBus } from './wire-bus.ts';

export interface ConnectBusOptions {
  readonly identity: UserIdentity;
  /** What this connection is for, shown by the server: `state`, `beats`, `streams`, `cli`. */
  readonly purpose: string;
  /** Keep trying when no server answers at first; else throws `unavailable`. */
  readonly waitForServer: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Metrics;
  /** Asked at every (re)connect, so that a renewed token is used; default: the identity's. */
  readonly jwt?: () => string;
  /** Copies of each stream, for a coordinator that makes them; default 1. */
  readonly replicas?: number;
}

export interface ConnectedBus {
  readonly bus: Bus;
  /** Closing the bus ends them too. */
  readonly buckets: Buckets;
}

/** Since when single messages can expire. */
const EXPIRES_MESSAGES_SINCE: Version = [2, 11];

/** Since when streams have a limit of watches unless they ask for another. */
const LIMITS_CONSUMERS_SINCE: Version = [2, 15];

const REOPEN_RETRY_MS = 250;

/**
 * Connects with the user's identity. A coordinator's connection also makes the buckets and learns whether the server
 * can fence. Throws `unavailable` (see `waitForServer`), `precondition` when streams of another configuration are there.
 */
export async function connectBus(options: ConnectBusOptions): Promise<ConnectedBus> {
  const { identity, purpose, waitForServer, clock, registry } = options;
  const log = options.log.child({ module: 'bus' });
  const metrics = busMetrics(registry);
  const user = { name: userNameOf(identity), jwt: options.jwt ?? (() => identity.jwt), seed: identity.seed };
  const { natsUrls: urls, caPem } = identity;
  const link = await openLink({ urls, user, caPem, purpose, waitForServer, clock, log, metrics });
  try {
    const expiresMarkers = link.serverIsSince(EXPIRES_MESSAGES_SINCE);
    const raw = (name: BucketName) => {
      const parts = { link, name, ...rightsOf(identity, name), expiresMarkers, clock, log, metrics };
      return new MeasuredBucket(new NatsBucket(parts), { clock, metrics });
    };
    const serverFences =
      identity.role === 'coordinator' && (await prepareServer(link, options, identity.writeSecret, raw));
    const bus = new WireBus({ wire: new NatsWire(link, clock, log), clock, log, metrics });
    return { bus, buckets: recordBuckets({ raw, serverFences, clock, log, metrics }) };
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** How this user reads and writes a bucket. */
function rightsOf(identity: UserIdentity, name: BucketName): Pick<NatsBucketParts, 'reads' | 'writeSubject'> {
  const isNodes = bucketDefinition(name).writtenBy === 'nodes';
  const open = (key: string) => subjectOf(name, key);
  if (identity.role === 'node') return { reads: isNodes ? 'watch' : 'nearest', writeSubject: open };
  const guarded = (key: string) => guardedSubjectOf(identity.writeSecret, name, key);
  return { reads: 'leader', writeSubject: isNodes ? open : guarded };
}

async function prepareServer(
  link: NatsLink,
  options: ConnectBusOptions,
  writeSecret: string,
  raw: (name: BucketName) => RawBucket,
): Promise<boolean> {
  const expiresMessages = link.serverIsSince(EXPIRES_MESSAGES_SINCE);
  const limitsConsumers = link.serverIsSince(LIMITS_CONSUMERS_SINCE);
  const takesBatches = link.serverIsSince(takesBatchesSince);
  const choices = { replicas: options.replicas ?? 1, expiresMessages, takesBatches, limitsConsumers, writeSecret };
  await openStreams(link.manager, choices, options.log);
  link.onConnectionChange((connected) => {
    if (connected) void reopenStreams(link, choices, options);
  });
  const fences = await canFence(raw(bucketDefinitions.lease.name));
  if (!fences)
    options.log.warn({}, 'this NATS server cannot fence former leaders: a new leader waits one lease time first');
  return fences;
}

/** A server that restarted has lost its streams in memory: whoever comes back first makes them again. */
async function reopenStreams(link: NatsLink, choices: StreamChoices, options: ConnectBusOptions): Promise<void> {
  while (link.connected) {
    try {
      return await openStreams(link.manager, choices, options.log);
    } catch (error) {
      options.log.warn({ error: messageOf(error) }, 'the streams could not be opened again, trying once more');
      await options.clock.sleep(REOPEN_RETRY_MS);
    }
  }
}

/**
 * Tries whether a write can depend on another key's revision. In the lease's bucket, which forgets the trial by itself;
 * a server that ignored the other key would compare with the written key's own revision, 0, and refuse.
 */
async function canFence(leases: RawBucket): Promise<boolean> {
  const trial = `_trial.${crypto.randomUUID()}`;
  const revision = await leases.write(`${trial}.fence`, 'null');
  try {
    await leases.write(`${trial}.write`, 'null', { key: `${trial}.fence`, revision });
    return true;
  } catch {
    return false;
  }
}
