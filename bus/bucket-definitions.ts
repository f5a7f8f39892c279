/** Every bucket: where it lies, how big it may grow, who writes it. The only list of them. */

export interface BucketDefinition {
  readonly name: string;
  readonly storage: 'file' | 'memory';
  readonly maxBytes: number;
  /** Records older than this vanish by themselves. */
  readonly maxAgeMs?: number;
  /** Written by the leader alone, under its fence. */
  readonly leaderOnly: boolean;
}

const MIB = 1024 * 1024;

/** How long the leader's lease lives without renewal. */
export const leaseTimeMs = 3_000;

/** The key in each leader's bucket whose revision fences the leader's writes; no view shows it. */
export const fenceKey = '_epoch';

const shared = (name: string, maxBytes: number): BucketDefinition => ({
  name,
  storage: 'file',
  maxBytes,
  leaderOnly: false,
});
const leaders = (name: string, maxBytes: number): BucketDefinition => ({
  name,
  storage: 'file',
  maxBytes,
  leaderOnly: true,
});

export const bucketDefinitions = {
  spec: shared('plim_spec', 256 * MIB),
  name: shared('plim_name', 64 * MIB),
  node: shared('plim_node', 64 * MIB),
  slot: leaders('plim_slot', 512 * MIB),
  task: leaders('plim_task', 1024 * MIB),
  // Agents report again after a restart of the server, so memory will do.
  status: { name: 'plim_status', storage: 'memory', maxBytes: 256 * MIB, leaderOnly: false },
  net: leaders('plim_net', 64 * MIB),
  endpoint: { name: 'plim_endpoint', storage: 'memory', maxBytes: 128 * MIB, leaderOnly: false },
  scale: leaders('plim_scale', 16 * MIB),
  rollout: leaders('plim_rollout', 64 * MIB),
  lease: { name: 'plim_lease', storage: 'memory', maxBytes: MIB, maxAgeMs: leaseTimeMs, leaderOnly: false },
} as const satisfies Record<string, BucketDefinition>;

export type BucketName = (typeof bucketDefinitions)[keyof typeof bucketDefinitions]['name'];

/** Names of the buckets a leader's fence guards. */
export const leaderBucketNames: readonly BucketName[] = Object.values(bucketDefinitions)
  .filter((definition) => definition.leaderOnly)
  .map((definition) => definition.name);

/** The stream of decisions and happenings, bounded by age and size. */
export const eventStream = {
  name: 'plim_events',
  subject: 'plim.event.>',
  maxBytes: 256 * MIB,
  maxAgeMs: 7 * 24 * 3_600_000,
} as const;
