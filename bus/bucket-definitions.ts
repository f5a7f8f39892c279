/** Every bucket: where it lies, how big it may grow, who writes it. The only list of them. */

export interface BucketDefinition {
  readonly name: string;
  readonly storage: 'file' | 'memory';
  readonly maxBytes: number;
  /** Records older than this vanish by themselves. */
  readonly maxAgeMs?: number;
  /** `leader`: by the leader alone, under its fence. `nodes`: each node its own keys. */
  readonly writtenBy: 'coordinators' | 'leader' | 'nodes';
}

const MIB = 1024 * 1024;

/** How long the leader's lease lives without renewal. */
export const leaseTimeMs = 3_000;

/** The key in each leader's bucket whose revision fences the leader's writes. */
export const fenceKey = '_epoch';

/** The bus's own keys, the fence and what it tries a server with: they hold no records, no view shows them. */
export function isOwnKey(key: string): boolean {
  return key.startsWith('_');
}

type Writer = BucketDefinition['writtenBy'];

function onDisk<N extends string>(name: N, writtenBy: Writer, maxBytes: number) {
  return { name, storage: 'file', writtenBy, maxBytes } as const;
}

/** For what its writers say again when the server lost it. */
function inMemory<N extends string>(name: N, writtenBy: Writer, maxBytes: number) {
  return { name, storage: 'memory', writtenBy, maxBytes } as const;
}

export const bucketDefinitions = {
  spec: onDisk('plim_spec', 'coordinators', 256 * MIB),
  name: onDisk('plim_name', 'coordinators', 64 * MIB),
  node: onDisk('plim_node', 'nodes', 64 * MIB),
  slot: onDisk('plim_slot', 'leader', 512 * MIB),
  task: onDisk('plim_task', 'leader', 1024 * MIB),
  status: inMemory('plim_status', 'nodes', 256 * MIB),
  net: onDisk('plim_net', 'leader', 64 * MIB),
  endpoint: inMemory('plim_endpoint', 'nodes', 128 * MIB),
  mesh: inMemory('plim_mesh', 'nodes', 64 * MIB),
  scale: onDisk('plim_scale', 'leader', 16 * MIB),
  rollout: onDisk('plim_rollout', 'leader', 64 * MIB),
  lease: { ...inMemory('plim_lease', 'coordinators', MIB), maxAgeMs: leaseTimeMs },
} as const satisfies Record<string, BucketDefinition>;

export type BucketName = (typeof bucketDefinitions)[keyof typeof bucketDefinitions]['name'];

/** Names of the buckets a leader's fence guards. */
export const leaderBucketNames: readonly BucketName[] = Object.values(bucketDefinitions)
  .filter((definition) => definition.writtenBy === 'leader')
  .map((definition) => definition.name);

/** The definition of a bucket by its name. */
export function bucketDefinition(name: BucketName): BucketDefinition {
  const definition = Object.values(bucketDefinitions).find((candidate) => candidate.name === name);
  if (!definition) throw new Error(`There is no bucket ${name}`);
  return definition;
}

/** The stream of decisions and happenings, bounded by age and size. */
export const eventStream = {
  name: 'plim_events',
  subject: 'plim.event.>',
  maxBytes: 256 * MIB,
  maxAgeMs: 7 * 24 * 3_600_000,
} as const;

/** What is remembered for `plim why --at`: the newest of each subject, and no more in all than fits. */
export const pastStream = {
  name: 'plim_past',
  subject: 'plim.past.>',
  maxBytes: 256 * MIB,
  /** Decisions of a service, ends of attempts of a slot. */
  maxMessagesPerSubject: 256,
} as const;

/** The stream that keeps what is published on a subject. */
export function streamOfSubject(subject: string): string {
  return subject.startsWith('plim.past.') ? pastStream.name : eventStream.name;
}
