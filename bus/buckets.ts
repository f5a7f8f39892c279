/** The buckets of design section 4 as typed doors. Keys are given without the kind prefix of shared buckets. */
import type { AlertRecord } from '../model/alert-record.ts';
import type { ClaimRecord } from '../model/claim-record.ts';
import type { ClusterRecord } from '../model/cluster-record.ts';
import type { EpochRecord, LeaseRecord } from '../model/lease-record.ts';
import type { MeshRecord } from '../model/mesh-record.ts';
import type { EndpointRecord, NetRecord, NetworkRecord } from '../model/network-records.ts';
import type { NodeRecord, NodeSpecRecord } from '../model/node-record.ts';
import type { PayloadRecord } from '../model/payload.ts';
import type { RolloutRecord } from '../model/rollout-record.ts';
import type { ScaleRecord } from '../model/scale-record.ts';
import type { ServiceRecord } from '../model/service-record.ts';
import type { SlotRecord } from '../model/slot-record.ts';
import type { StatusRecord } from '../model/status-record.ts';
import type { TaskRecord } from '../model/task-record.ts';
import type { VolumeRecord } from '../model/volume-record.ts';
import type { Bucket, Fence } from './bus.ts';

/** Buckets only the leader writes; obtained with its fence. */
export interface LeaderBuckets {
  /** `<service>.<slot key>`; the slot key is the number, or the node id for global services. */
  readonly slots: Bucket<SlotRecord>;
  /** `<node>.<task>` */
  readonly tasks: Bucket<TaskRecord>;
  /** `<service>` */
  readonly rollouts: Bucket<RolloutRecord>;
  /** `<service>` */
  readonly scales: Bucket<ScaleRecord>;
  /** `subnet.<network>.<node>`, `vip.<network>.<service>` */
  readonly nets: Bucket<NetRecord>;
}

export interface Buckets extends LeaderBuckets {
  /** plim_spec `service.<id>`; key: `<id>` */
  readonly services: Bucket<ServiceRecord>;
  /** plim_spec `network.<id>`; key: `<id>` */
  readonly networks: Bucket<NetworkRecord>;
  /** plim_spec `secret.<id>`; key: `<id>` */
  readonly secrets: Bucket<PayloadRecord>;
  /** plim_spec `config.<id>`; key: `<id>` */
  readonly configs: Bucket<PayloadRecord>;
  /** plim_spec `volume.<id>`; key: `<id>` */
  readonly volumes: Bucket<VolumeRecord>;
  /** plim_spec `alert.<service>`; key: `<service>` */
  readonly alerts: Bucket<AlertRecord>;
  /** plim_spec `node.<id>`; key: `<id>` */
  readonly nodeSpecs: Bucket<NodeSpecRecord>;
  /** plim_spec `cluster.main`; key: `main` */
  readonly clusters: Bucket<ClusterRecord>;
  /** plim_name; key: `service.<name>`, `port.tcp.80` */
  readonly claims: Bucket<ClaimRecord>;
  /** plim_node `<node>` */
  readonly nodes: Bucket<NodeRecord>;
  /** plim_status `<node>.<task>` */
  readonly statuses: Bucket<StatusRecord>;
  /** plim_endpoint `<network>.<node>` */
  readonly endpoints: Bucket<EndpointRecord>;
  /** plim_mesh `<node>` */
  readonly meshes: Bucket<MeshRecord>;
  /** plim_lease `leader` */
  readonly leases: Bucket<LeaseRecord>;
  /** plim_spec `epoch.leader`; key: `leader`. The highest epoch handed out; only the lease touches it. */
  readonly epochs: Bucket<EpochRecord>;
  /** Whether the server itself refuses writes of former leaders; if not, a new leader waits one lease time first. */
  readonly serverFences: boolean;
  /**
   * Shuts former leaders out of the leader's buckets; the lease does it before it says "you lead". Throws `conflict`
   * when a higher epoch has been there.
   */
  raiseFence(epoch: number): Promise<Fence>;
  /**
   * The leader's buckets with every write fenced by its epoch: refused with `conflict` once a newer one began. The epoch's
   * fence must have been raised on this connection (`precondition`).
   */
  fenced(fence: Fence): LeaderBuckets;
}
