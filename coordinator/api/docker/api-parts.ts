/** What the Engine API is built from. */
import type { Bus } from '../../../bus/bus.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { Wishes } from '../../wishes/wishes.ts';

export interface DockerApiParts {
  readonly snapshot: () => Snapshot;
  readonly wishes: Wishes;
  readonly bus: Pick<Bus, 'askNode' | 'askNodeStream' | 'subscribe'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Plimsoll's own version. */
  readonly version: string;
  readonly clusterId: string;
  /** The node this coordinator runs on; undefined until an agent of this host has joined. */
  readonly nodeId: () => string | undefined;
  /** Where other hosts reach this coordinator's host. */
  readonly advertiseAddress: string;
  /** Where new hosts join, `host:port`. */
  readonly joinAddress: string;
  /** What `plim join` takes on a new host; rejects when this coordinator cannot make one. */
  readonly joinToken: () => Promise<string>;
  /** The cluster's own certificate authority. */
  readonly caPem: string;
}
