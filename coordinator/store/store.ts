/** A coordinator's live copy of the cluster's buckets, and the immutable snapshots made from it. */
import type { Buckets } from '../../bus/buckets.ts';
import type { BucketView, Entry } from '../../bus/bus.ts';
import type { DamagedRecord } from '../../model/native-api.ts';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { describeDamage } from './damaged-records.ts';
import type { NodeLiveness, Snapshot } from './snapshot.ts';

const MAIN_CLUSTER_KEY = 'main';
const LEASE_KEY = 'leader';
const REACH_TIMEOUT_MS = 5_000;
/** The lease lives 3 s and is renewed each second. */
const LEASE_TRUST_MS = 4_000;

/** The buckets a coordinator watches. */
const watchedBuckets = [
  'services',
  'networks',
  'secrets',
  'configs',
  'volumes',
  'alerts',
  'nodeSpecs',
  'clusters',
  'nodes',
  'statuses',
  'leases',
  'slots',
  'tasks',
  'rollouts',
  'scales',
  'nets',
] as const satisfies readonly (keyof Buckets)[];

export type WatchedBucket = (typeof watchedBuckets)[number];

type ValueOf<K extends WatchedBucket> = Buckets[K] extends { watch(filter?: string): Promise<BucketView<infer T>> }
  ? T
  : never;
type Views = { readonly [K in WatchedBucket]: BucketView<ValueOf<K>> };
type Table<K extends WatchedBucket> = ReadonlyMap<string, Entry<ValueOf<K>>>;

export interface StoreParts {
  readonly buckets: Buckets;
  readonly clock: Clock;
}

/** Opens a watch per bucket; resolves when every copy is complete. */
export async function openStore(parts: StoreParts): Promise<Store> {
  const watching = watchedBuckets.map(async (name) => {
    // Coordinators try the server's abilities with other keys in the lease's bucket.
    const filter = name === 'leases' ? LEASE_KEY : undefined;
    return [name, await parts.buckets[name].watch(filter)] as const;
  });
  return new Store(Object.fromEntries(await Promise.all(watching)) as unknown as Views, parts.clock);
}

/** Tables are copied only when their bucket has changed since the last snapshot. */
export class Store {
  private readonly views: Views;
  private readonly clock: Clock;
  private readonly tables = new Map<WatchedBucket, ReadonlyMap<string, unknown>>();
  private readonly listeners = new Set<(bucket: WatchedBucket | 'liveness', keys: readonly string[]) => void>();
  private liveness: ReadonlyMap<string, NodeLiveness> = new Map();
  private coordinatorNodes: ReadonlySet<string> = new Set();
  private busy: ReadonlyMap<string, number> = new Map();
  private leaseSeenMs: number;
  private last: Snapshot | undefined;

  constructor(views: Views, clock: Clock) {
    this.views = views;
    this.clock = clock;
    this.leaseSeenMs = clock.elapsedMs();
    for (const name of watchedBuckets) views[name].onChange((keys) => this.changed(name, keys));
  }

  /** Everything known now. The same object is answered until something changes. */
  snapshot(): Snapshot {
    this.last ??= this.build();
    return this.last;
  }

  /** One record as it is now, without the making of a snapshot; keys are the bucket's own. */
  entry<K extends WatchedBucket>(bucket: K, key: string): Entry<ValueOf<K>> | undefined {
    const entries = this.views[bucket].entries as Table<K>;
    return entries.get(key);
  }

  /** False while any copy has a gap or the bus is away: what is missing then may well be there. */
  get isCurrent(): boolean {
    return watchedBuckets.every((name) => this.views[name].current);
  }

  /** Grows whenever a bucket lost records, of which somebody else may still know what they said. */
  get losses(): number {
    return watchedBuckets.reduce((sum, name) => sum + this.views[name].losses, 0);
  }

  /** Records that are there and not in any snapshot: they do not fit their schema or lie under another's key. */
  damagedRecords(): DamagedRecord[] {
    return watchedBuckets.flatMap((name) =>
      [...this.views[name].quarantined].map(([key, problem]) => describeDamage(name, key, problem)),
    );
  }

  /** False while records of a bucket do not fit their schema: they are missing from snapshots, yet they are there. */
  isReadable(bucket: WatchedBucket): boolean {
    return this.views[bucket].quarantined.size === 0;
  }

  /** Resolves when `snapshot()` shows the write with this revision of a bucket. Rejects with `timeout`. */
  reached(bucket: WatchedBucket, revision: number, timeoutMs = REACH_TIMEOUT_MS): Promise<void> {
    return this.views[bucket].reached(revision, timeoutMs);
  }

  /** Resolves when `snapshot()` no longer shows a key. Rejects with `timeout`. */
  async vanished(bucket: WatchedBucket, key: string, timeoutMs = REACH_TIMEOUT_MS): Promise<void> {
    const view: BucketView<unknown> = this.views[bucket];
    if (!view.entries.has(key)) return;
    let stop = () => {};
    const gone = new Promise<void>((resolve) => {
      stop = view.onChange(() => !view.entries.has(key) && resolve());
    });
    const late = () => new PlimsollError('timeout', `Cannot see ${bucket} ${key} deleted after ${timeoutMs} ms`);
    await withDeadline(this.clock, timeoutMs, gone, late).finally(stop);
  }

  /** What the liveness watch found out; part of every snapshot from now on. Listeners hear of changed states only. */
  setLiveness(liveness: ReadonlyMap<string, NodeLiveness>): void {
    const before = this.liveness;
    const changed = [...liveness].filter(([id, { state }]) => before.get(id)?.state !== state).map(([id]) => id);
    const gone = [...before.keys()].filter((id) => !liveness.has(id));
    this.liveness = liveness;
    this.last = undefined;
    if (changed.length + gone.length === 0) return;
    for (const listener of this.listeners) listener('liveness', [...changed, ...gone]);
  }

  /** Nodes whose coordinators answer; part of every snapshot from now on. Nothing is planned by it: no listener hears. */
  setCoordinatorNodes(nodeIds: ReadonlySet<string>): void {
    const isSame =
      nodeIds.size === this.coordinatorNodes.size && [...nodeIds].every((id) => this.coordinatorNodes.has(id));
    if (isSame) return;
    this.coordinatorNodes = nodeIds;
    this.last = undefined;
  }

  /** How busy nodes are; part of every snapshot from now on. What runs stays where it is: no listener hears. */
  setBusy(busy: ReadonlyMap<string, number>): void {
    const isSame = busy.size === this.busy.size && [...busy].every(([id, step]) => this.busy.get(id) === step);
    if (isSame) return;
    this.busy = busy;
    this.last = undefined;
  }

  /** Called after each batch of changes. Returns the way to stop. */
  onChange(listener: (bucket: WatchedBucket | 'liveness', keys: readonly string[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.listeners.clear();
    await Promise.all(watchedBuckets.map((name) => this.views[name].close()));
  }

  private changed(bucket: WatchedBucket, keys: readonly string[]): void {
    this.tables.delete(bucket);
    if (bucket === 'leases') this.leaseSeenMs = this.clock.elapsedMs();
    this.last = undefined;
    for (const listener of this.listeners) listener(bucket, keys);
  }

  private build(): Snapshot {
    return {
      cluster: this.views.clusters.entries.get(MAIN_CLUSTER_KEY),
      services: this.table('services'),
      networks: this.table('networks'),
      secrets: this.table('secrets'),
      configs: this.table('configs'),
      volumes: this.table('volumes'),
      alerts: this.table('alerts'),
      nodeSpecs: this.table('nodeSpecs'),
      nodes: this.table('nodes'),
      liveness: this.liveness,
      coordinatorNodes: this.coordinatorNodes,
      busy: this.busy,
      tasks: this.table('tasks', (task) => task.id),
      // A node may write under any task's id: where several did, the task's own node is believed.
      statuses: this.table(
        'statuses',
        (status) => status.taskId,
        (key) => this.views.tasks.entries.has(key),
      ),
      slots: this.table('slots'),
      rollouts: this.table('rollouts'),
      scales: this.table('scales'),
      nets: this.table('nets'),
      leader: this.leader(),
    };
  }

  /** A lease that ran out is not announced: one that was not renewed for long is nobody's. */
  private leader(): Snapshot['leader'] {
    const lease = this.views.leases.entries.get(LEASE_KEY)?.value;
    if (this.clock.elapsedMs() - this.leaseSeenMs > LEASE_TRUST_MS) return undefined;
    return lease && { coordinatorId: lease.holderId, nodeId: lease.holderNodeId, epoch: lease.epoch };
  }

  /** An immutable copy of a view, under its own keys or under the ids its records carry; of two with one id, the last or the believed. */
  private table<K extends WatchedBucket>(
    bucket: K,
    idOf?: (value: ValueOf<K>) => string,
    isBelieved: (key: string) => boolean = () => false,
  ): Table<K> {
    const known = this.tables.get(bucket);
    if (known) return known as Table<K>;
    const entries = this.views[bucket].entries as Table<K>;
    const table = new Map<string, Entry<ValueOf<K>>>();
    for (const [key, entry] of entries) {
      const id = idOf ? idOf(entry.value) : key;
      const other = table.get(id);
      if (other === undefined || !isBelieved(other.key)) table.set(id, entry);
    }
    this.tables.set(bucket, table);
    return table;
  }
}
