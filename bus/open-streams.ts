/** Makes the streams behind buckets and events, and brings the ones that are there to the configuration wanted. */
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { type BucketDefinition, bucketDefinitions, eventStream, pastStream } from './bucket-definitions.ts';
import { guardedSubjectOf, streamOf, subjectOf } from './kv-layout.ts';
import { natsFailure } from './nats-failure.ts';

export interface StreamChoices {
  /** Copies of each stream: as many as there are servers, at most 3. */
  readonly replicas: number;
  /** Part of the subjects coordinators write through. */
  readonly writeSecret: string;
  /** Single messages can expire (server >= 2.11). */
  readonly expiresMessages: boolean;
  /** The server can store several messages at once, all or none (server >= 2.12). */
  readonly takesBatches: boolean;
  /** The server gives a thousand watches to a stream that does not ask for more (server >= 2.15). */
  readonly limitsConsumers: boolean;
}

type WantedConfig = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'storage' | 'subjects'>;

/** Every agent watches some streams: more than there will be agents. */
export const MAX_CONSUMERS = 1_000_000;
const DUPLICATE_WINDOW_MS = 2 * 60_000;

/** Every stream there must be. Pure. */
export function wantedStreams(choices: StreamChoices): WantedConfig[] {
  const buckets = Object.values<BucketDefinition>(bucketDefinitions).map((bucket) => bucketStream(bucket, choices));
  const streams = [...buckets, eventsStream(choices), pastsStream(choices)];
  return choices.limitsConsumers ? streams.map((stream) => ({ ...stream, max_consumers: MAX_CONSUMERS })) : streams;
}

function bucketStream(bucket: BucketDefinition, choices: StreamChoices): WantedConfig {
  const { maxAgeMs } = bucket;
  return {
    name: streamOf(bucket.name),
    ...intake(bucket, choices.writeSecret),
    storage: bucket.storage === 'memory' ? StorageType.Memory : StorageType.File,
    retention: RetentionPolicy.Limits,
    // A full bucket refuses new keys rather than forgetting old ones.
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    max_bytes: bucket.maxBytes,
    allow_direct: true,
    num_replicas: choices.replicas,
    duplicate_window: nanos(Math.min(maxAgeMs ?? DUPLICATE_WINDOW_MS, DUPLICATE_WINDOW_MS)),
    ...(maxAgeMs === undefined ? {} : { max_age: nanos(maxAgeMs) }),
    ...(choices.expiresMessages ? { allow_msg_ttl: true } : {}),
    ...(choices.takesBatches && bucket.writtenBy === 'leader' ? { allow_atomic: true } : {}),
  };
}

/** Nodes write their buckets as any KV; the others only take what comes with the secret. */
function intake(bucket: BucketDefinition, writeSecret: string) {
  const stored = subjectOf(bucket.name, '>');
  if (bucket.writtenBy === 'nodes') return { subjects: [stored] };
  const guarded = guardedSubjectOf(writeSecret, bucket.name, '>');
  return { subjects: [guarded], subject_transform: { src: guarded, dest: stored } };
}

function eventsStream(choices: StreamChoices): WantedConfig {
  const batches = choices.takesBatches ? { allow_atomic: true } : {};
  return { ...boundedStream(eventStream, choices), max_age: nanos(eventStream.maxAgeMs), ...batches };
}

function pastsStream(choices: StreamChoices): WantedConfig {
  return { ...boundedStream(pastStream, choices), max_msgs_per_subject: pastStream.maxMessagesPerSubject };
}

/** Keeps the newest of so many bytes. */
function boundedStream(
  { name, subject, maxBytes }: { readonly name: string; readonly subject: string; readonly maxBytes: number },
  { replicas }: StreamChoices,
) {
  return {
    name,
    subjects: [subject],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_bytes: maxBytes,
    num_replicas: replicas,
  };
}

/** Throws `precondition` when a stream lies where it cannot be moved from, `unavailable` when JetStream is away. */
export async function openStreams(manager: JetStreamManager, choices: StreamChoices, log: Log): Promise<void> {
  const open = async (wanted: WantedConfig) => {
    const opening = openStream(manager, wanted, log);
    // A disk that has no room for the past is no reason to do without the present.
    return wanted.name === pastStream.name ? opening.catch((error: unknown) => tellUnremembered(error, log)) : opening;
  };
  await Promise.all(wantedStreams(choices).map(open));
}

function tellUnremembered(error: unknown, log: Log): void {
  log.warn({ error: messageOf(error) }, 'what is decided cannot be remembered: plim why --at will not tell of it');
}

async function openStream(manager: JetStreamManager, wanted: WantedConfig, log: Log): Promise<void> {
  try {
    const found = await configOf(manager, wanted.name);
    if (!found) {
      await manager.streams.add(wanted);
      return;
    }
    if (found.storage !== wanted.storage) {
      throw new PlimsollError(
        'precondition',
        `Cannot use stream ${wanted.name}: it lies in ${found.storage}, wanted is ${wanted.storage}; delete it to have it made anew`,
      );
    }
    const different = differences(found, wanted);
    if (different.length === 0) return;
    log.info({ stream: wanted.name, different }, 'a stream is brought to the configuration wanted');
    await manager.streams.update(wanted.name, wanted);
  } catch (error) {
    throw natsFailure(error, `open stream ${wanted.name}`);
  }
}

async function configOf(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return undefined;
    throw error;
  }
}

/** Names of settings that are not as wanted. A stream made on a newer server keeps what an older one lacks. Pure. */
export function differences(found: StreamConfig, wanted: WantedConfig): string[] {
  const settings = Object.entries(wanted) as [keyof StreamConfig, unknown][];
  return settings
    .filter(([name, value]) => JSON.stringify(found[name]) !== JSON.stringify(value))
    .map(([name]) => name);
}
