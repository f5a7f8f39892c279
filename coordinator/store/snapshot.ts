/** Everything a coordinator knows at one moment, immutable: what planners plan from and the API answers from. */
import type { Entry } from '../../bus/bus.ts';
import type { AlertRecord } from '../../model/alert-record.ts';
import type { ClusterRecord } from '../../model/cluster-record.ts';
import type { NetRecord, NetworkRecord } from '../../model/network-records.ts';
import type { NodeRecord, NodeSpecRecord } from '../../model/node-record.ts';
import type { PayloadRecord } from '../../model/payload.ts';
import type { RolloutRecord } from '../../model/rollout-record.ts';
import type { ScaleRecord } from '../../model/scale-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { SlotRecord } from '../../model/slot-record.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { VolumeRecord } from '../../model/volume-record.ts';

/**
 * ready: beats arrive. suspect: silent for a second, being probed. lost: probes failed too, tasks get stand-ins.
 * engine-unresponsive: the agent beats, its Docker Engine does not answer. unknown: not heard of since this coordinator
 * began to listen.
 */
export type NodeState = 'ready' | 'suspect' | 'lost' | 'engine-unresponsive' | 'unknown';

export interface NodeLiveness {
  readonly state: NodeState;
  /** When this state began, on the elapsed clock. */
  readonly sinceMs: number;
  /** Of the agent that beats; undefined before its first beat. */
  readonly incarnation?: number | undefined;
  /** When a node that is lost last asked for its leader, on the elapsed clock; not before this leader's term. */
  readonly lastContactMs?: number;
  /** Sentence for people: "no beat for 1.2 s, probes from 2 nodes failed". */
  readonly message: string;
}

/**
 * What a leader cannot know from records: whether an empty slot of these services ever had a task. It begins with each
 * term and with each loss of records, and ends (no services) when every node that is heard has said what it runs.
 */
export interface Doubt {
  /** When it began, by the wall clock; part of the ids of tasks in slots without a record. */
  readonly sinceMs: number;
  readonly services: ReadonlySet<string>;
}

export interface Snapshot {
  /** undefined until the first start of the cluster has written it. */
  readonly cluster: Entry<ClusterRecord> | undefined;
  readonly services: ReadonlyMap<string, Entry<ServiceRecord>>;
  /** By network id. */
  readonly networks: ReadonlyMap<string, Entry<NetworkRecord>>;
  /** By id; their contents are sealed. */
  readonly secrets: ReadonlyMap<string, Entry<PayloadRecord>>;
  readonly configs: ReadonlyMap<string, Entry<PayloadRecord>>;
  /** By id. */
  readonly volumes: ReadonlyMap<string, Entry<VolumeRecord>>;
  /** By service id. */
  readonly alerts: ReadonlyMap<string, Entry<AlertRecord>>;
  readonly nodeSpecs: ReadonlyMap<string, Entry<NodeSpecRecord>>;
  readonly nodes: ReadonlyMap<string, Entry<NodeRecord>>;
  readonly liveness: ReadonlyMap<string, NodeLiveness>;
  /** Known to the leader only. */
  readonly doubt?: Doubt;
  /** How busy nodes were measured to be, in coarse steps (see `busyness()`); those absent are not. */
  readonly busy?: ReadonlyMap<string, number>;
  /** Nodes whose coordinator answers, as far as this one hears. */
  readonly coordinatorNodes: ReadonlySet<string>;
  /** By task id. */
  readonly tasks: ReadonlyMap<string, Entry<TaskRecord>>;
  /** By task id. */
  readonly statuses: ReadonlyMap<string, Entry<StatusRecord>>;
  /** By `<service>.<slot key>`. */
  readonly slots: ReadonlyMap<string, Entry<SlotRecord>>;
  /** By service id. */
  readonly rollouts: ReadonlyMap<string, Entry<RolloutRecord>>;
  /** By service id. */
  readonly scales: ReadonlyMap<string, Entry<ScaleRecord>>;
  /** Allocated ranges and virtual addresses, by `subnet.<network>.<node>` and `vip.<network>.<service>`. */
  readonly nets: ReadonlyMap<string, Entry<NetRecord>>;
  /** Who holds the leader's lease, by coordinator id and node id; undefined while nobody does. */
  readonly leader: { readonly coordinatorId: string; readonly nodeId: string; readonly epoch: number } | undefined;
}
