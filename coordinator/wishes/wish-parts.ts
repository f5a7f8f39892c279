/** What every wish works with. */
import type { Buckets } from '../../bus/buckets.ts';
import type { Bus } from '../../bus/bus.ts';
import type { HostAccess } from '../../model/host-access.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Prometheus } from '../autoscale/prometheus.ts';
import type { Queues } from '../autoscale/queues.ts';
import type { Vault } from '../payloads/vault.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** The buckets wishes are written to. */
type WishBucket = 'services' | 'networks' | 'secrets' | 'configs' | 'volumes' | 'nodeSpecs' | 'clusters';

/** Makes reads see writes. */
export interface ReadBarrier {
  /** Resolves when `snapshot()` shows the write with this revision. */
  reached(bucket: WishBucket, revision: number): Promise<void>;
  /** Resolves when `snapshot()` no longer shows a key. */
  vanished(bucket: WishBucket, key: string): Promise<void>;
}

export interface WishParts {
  readonly buckets: Pick<Buckets, WishBucket | 'nodes' | 'claims' | 'meshes'>;
  readonly bus: Pick<Bus, 'publishDurably' | 'askNode'>;
  readonly snapshot: () => Snapshot;
  readonly barrier: ReadBarrier;
  /** Seals the contents of secrets and configs. */
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** Makes an id nobody has had before. */
  readonly newId: () => string;
  /** What labels may open of hosts; absent: nothing. */
  readonly allowedHostAccess?: ReadonlySet<HostAccess>;
  /** What services may scale by queries of; absent: they cannot. */
  readonly prometheus?: Prometheus | undefined;
  /** Whose queues services may scale by; absent: nobody's. */
  readonly queues?: Queues | undefined;
  /** Takes a removed node's credentials away. */
  readonly revokeNode: (nodeId: string) => Promise<void>;
}
