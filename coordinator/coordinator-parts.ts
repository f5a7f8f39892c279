/** What a coordinator is put together from: the real things in production, others in tests. */
import type { Buckets } from '../bus/buckets.ts';
import type { Bus } from '../bus/bus.ts';
import type { HostAccess } from '../model/host-access.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { TcpProbe } from '../runtime/tcp-probe.ts';
import type { Admission } from './admission.ts';

import type { Alertmanager } from './alerts/alertmanager.ts';
import type { Prometheus } from './autoscale/prometheus.ts';
import type { Queues } from './autoscale/queues.ts';
import type { Vault } from './payloads/vault.ts';
import type { Planner } from './plan/plan.ts';

export interface CoordinatorParts {
  readonly identity: { readonly coordinatorId: string; readonly clusterId: string; readonly caPem: string };
  /** The node this host is, once it has joined as one. */
  readonly nodeId: () => string | undefined;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** In [0, 1). */
  readonly random: () => number;
  /** Makes an id nobody has had before. */
  readonly newId: () => string;
  /** Connects to the cluster's bus; called until it succeeds. */
  readonly connect: () => Promise<{ readonly bus: Bus; readonly buckets: Buckets }>;
  /** Where new hosts join, `host:port`: the cluster's NATS server. */
  readonly joinAddress: string;
  readonly admission: (bus: Bus, buckets: Buckets) => Admission;
  readonly probe: TcpProbe;
  readonly plan: Planner;
  /** What labels may open of hosts; absent: nothing. */
  readonly allowedHostAccess?: ReadonlySet<HostAccess>;
  /** What services scale by queries of; absent: they cannot. */
  readonly prometheus?: Prometheus | undefined;
  /** Whose queues services may scale by; absent: nobody's. */
  readonly queues?: Queues | undefined;
  /** What is asked which alerts fire; absent: nobody. */
  readonly alertmanager?: Alertmanager | undefined;
  /** Seals the contents of secrets and configs. */
  readonly vault: Vault;
}
