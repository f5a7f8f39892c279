/** All buckets as typed doors over raw ones, and the fence that keeps a former leader from writing. */
import type { z } from 'zod';
import { AlertRecord } from '../model/alert-record.ts';
import { ClaimRecord } from '../model/claim-record.ts';
import { ClusterRecord } from '../model/cluster-record.ts';
import { EpochRecord, LeaseRecord } from '../model/lease-record.ts';
import { MeshRecord } from '../model/mesh-record.ts';
import { EndpointRecord, NetRecord, NetworkRecord, netKey } from '../model/network-records.ts';
import { NodeRecord, NodeSpecRecord } from '../model/node-record.ts';
import { PayloadRecord } from '../model/payload.ts';
import { RolloutRecord } from '../model/rollout-record.ts';
import { ScaleRecord } from '../model/scale-record.ts';
import { ServiceRecord } from '../model/service-record.ts';
import { SlotRecord } from '../model/slot-record.ts';
import { StatusRecord } from '../model/status-record.ts';
import { TaskRecord } from '../model/task-record.ts';
import { VolumeRecord } from '../model/volume-record.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { type BucketName, fenceKey, leaderBucketNames } from './bucket-definitions.ts';
import type { Buckets, LeaderBuckets } from './buckets.ts';
import type { Bucket, Fence } from './bus.ts';
import type { BusMetrics } from './bus-metrics.ts';
import type { RawBucket } from './raw-bucket.ts';
import { reader as plainReader, type Reader } from './reader.ts';
import { RecordBucket } from './record-bucket.ts';
import type { KeyOf } from './record-view.ts';

export interface BucketsParts {
  readonly raw: (name: BucketName) => RawBucket;
  /** Whether the server can check one key's revision on a write to another (2.15 can; 2.10 cannot). */
  readonly serverFences: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BusMetrics;
  /** Default: reads each record anew. */
  readonly reader?: Reader;
}

type FenceRevisions = ReadonlyMap<BucketName, number>;

/** The buckets over `parts.raw`. */
export function recordBuckets(parts: BucketsParts): Buckets {
  const { clock, log, metrics, reader = plainReader } = parts;
  const raised = new Map<number, FenceRevisions>();
  const door = <T>(name: BucketName, schema: z.ZodType<T>, keyOf?: KeyOf<T>, keyPrefix = ''): Bucket<T> =>
    new RecordBucket({ raw: parts.raw(name), schema, ...(keyOf && { keyOf }), keyPrefix, clock, log, metrics, reader });
  return {
    ...leaderDoors(parts, undefined),
    services: door('plim_spec', ServiceRecord, ({ id }) => id, 'service.'),
    networks: door('plim_spec', NetworkRecord, ({ id }) => id, 'network.'),
    secrets: door('plim_spec', PayloadRecord, ({ id }) => id, 'secret.'),
    configs: door('plim_spec', PayloadRecord, ({ id }) => id, 'config.'),
    volumes: door('plim_spec', VolumeRecord, ({ id }) => id, 'volume.'),
    alerts: door('plim_spec', AlertRecord, ({ serviceId }) => serviceId, 'alert.'),
    nodeSpecs: door('plim_spec', NodeSpecRecord, ({ id }) => id, 'node.'),
    clusters: door('plim_spec', ClusterRecord, undefined, 'cluster.'),
    epochs: door('plim_spec', EpochRecord, undefined, 'epoch.'),
    claims: door('plim_name', ClaimRecord),
    nodes: door('plim_node', NodeRecord, ({ id }) => id),
    statuses: door('plim_status', StatusRecord, ({ nodeId, taskId }) => `${nodeId}.${taskId}`),
    endpoints: door('plim_endpoint', EndpointRecord, ({ networkId, nodeId }) => `${networkId}.${nodeId}`),
    meshes: door('plim_mesh', MeshRecord, ({ nodeId }) => nodeId),
    leases: door('plim_lease', LeaseRecord),
    serverFences: parts.serverFences,
    raiseFence: async (epoch) => {
      // Also where the server cannot check it: epochs that began anew, their own record lost, are found out by it.
      const revisions = await raiseFences(parts, epoch);
      if (parts.serverFences) raised.set(epoch, revisions);
      return { epoch };
    },
    fenced: (fence) => leaderDoors(parts, fenceRevisions(parts, raised, fence)),
  };
}

function leaderDoors(parts: BucketsParts, fences: FenceRevisions | undefined): LeaderBuckets {
  const { clock, log, metrics, reader = plainReader } = parts;
  const door = <T>(name: BucketName, schema: z.ZodType<T>, keyOf?: KeyOf<T>): Bucket<T> => {
    const revision = fences?.get(name);
    const fence = revision === undefined ? {} : { fence: { key: fenceKey, revision } };
    const own = { schema, ...(keyOf && { keyOf }), keyPrefix: '', ...fence };
    return new RecordBucket({ raw: parts.raw(name), ...own, clock, log, metrics, reader });
  };
  return {
    slots: door('plim_slot', SlotRecord, ({ serviceId, slot, nodeId }) => `${serviceId}.${slot === 0 ? nodeId : slot}`),
    tasks: door('plim_task', TaskRecord, ({ nodeId, id }) => `${nodeId}.${id}`),
    rollouts: door('plim_rollout', RolloutRecord, ({ serviceId }) => serviceId),
    scales: door('plim_scale', ScaleRecord, ({ serviceId }) => serviceId),
    nets: door('plim_net', NetRecord, netKey),
  };
}

function fenceRevisions(
  parts: BucketsParts,
  raised: ReadonlyMap<number, FenceRevisions>,
  fence: Fence,
): FenceRevisions | undefined {
  if (!parts.serverFences) return undefined;
  const revisions = raised.get(fence.epoch);
  if (revisions) return revisions;
  throw new PlimsollError('precondition', `Cannot write as leader of epoch ${fence.epoch}: its fence was never raised`);
}

async function raiseFences(parts: BucketsParts, epoch: number): Promise<FenceRevisions> {
  const raising = leaderBucketNames.map(async (name) => [name, await raiseOne(parts.raw(name), epoch)] as const);
  return new Map(await Promise.all(raising));
}

/** Writes the epoch over a lower one; throws `conflict` when a higher one is there. */
async function raiseOne(raw: RawBucket, epoch: number): Promise<number> {
  const stored = await raw.read(fenceKey);
  const known = stored && !stored.deleted ? plainReader.record(EpochRecord, stored) : undefined;
  const found = known && 'value' in known ? known.value.epoch : -1;
  if (found > epoch) {
    throw new PlimsollError('conflict', `Cannot lead as epoch ${epoch}: bucket ${raw.name} has seen epoch ${found}`);
  }
  const record: EpochRecord = { v: 1, epoch };
  return raw.write(fenceKey, JSON.stringify(record), { key: fenceKey, revision: stored?.revision ?? 0 });
}
