/**
 * What lies in the buckets: one schema per kind of record, each with a format version `v`.
 * Records the leader writes carry `epoch`, the number of the lease they were written under (fencing).
 * Times inside records are milliseconds of the wall clock of the writer and are for people; a record's own age is the
 * bus's message time.
 */
import { z } from 'zod';
import { GenericResource } from './generic-resources.ts';
import { Hostname } from './hostname.ts';
import { RestartTally } from './restart-tally.ts';
import { EndpointSpec, PortConfig, ServiceSpec, TaskTemplate } from './service-spec.ts';

const V = z.literal(1);
/** 25 characters a-z0-9, as Swarm's ids. */
export const Id = z.string().regex(/^[a-z0-9]{25}$/);
const Epoch = z.int().min(0);
const TimeMs = z.number();

// ---- plim_spec -----------------------------------------------------------------------------------------------------

export const Revision = z.object({
  /** Counts up per service; a specification that was there before gets its old number back. */
  number: z.int().min(1),
  taskTemplate: TaskTemplate,
  endpointSpec: EndpointSpec.optional(),
  createdAtMs: TimeMs,
});
export type Revision = z.infer<typeof Revision>;

/** `service.<id>`. The Engine API's Version.Index is the bus revision of this record. */
export const ServiceRecord = z.object({
  v: V,
  id: Id,
  spec: ServiceSpec,
  previousSpec: ServiceSpec.optional(),
  /** The revision tasks should run. Scaling and labels make no new one. */
  revision: z.int().min(1),
  /** The last 10, newest last, the current one included. */
  revisions: z.array(Revision),
  /** Ports with every number settled (unset ones from 30000-32767). */
  ports: z.array(PortConfig),
  createdAtMs: TimeMs,
  updatedAtMs: TimeMs,
  /** X-Registry-Auth its images are pulled with, under the cluster's key; no node's record holds it. */
  registryAuth: z.string().optional(),
  /** How the current revision came to be: a rollback is a roll-out with other words and knobs. */
  change: z.enum(['create', 'update', 'rollback']),
  /** Set by the removal of the service: its tasks are to be stopped, then this record goes. Absence alone stops nothing. */
  removedAtMs: TimeMs.optional(),
});
export type ServiceRecord = z.infer<typeof ServiceRecord>;

/** `node.<id>`: what the operator wishes of a node. */
export const NodeSpecRecord = z.object({
  v: V,
  id: Id,
  name: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  role: z.enum(['worker', 'manager']),
  availability: z.enum(['active', 'pause', 'drain']),
  /** The node's public nkey, set when it joined. */
  publicKey: z.string(),
  createdAtMs: TimeMs,
  updatedAtMs: TimeMs,
});
export type NodeSpecRecord = z.infer<typeof NodeSpecRecord>;

/** `cluster.main`: settings of the cluster as `docker swarm update` changes them. */
export const ClusterRecord = z.object({
  v: V,
  id: Id,
  taskHistoryLimit: z.int().min(0),
  labels: z.record(z.string(), z.string()),
  /** Grows with each new token for alerts; absent: 0. */
  alertTokenNumber: z.int().min(0).optional(),
  createdAtMs: TimeMs,
  updatedAtMs: TimeMs,
});
export type ClusterRecord = z.infer<typeof ClusterRecord>;

// ---- plim_name -----------------------------------------------------------------------------------------------------

/** `<kind>.<name>` and `port.<proto>.<port>`: who owns a name; created before the spec, swept when the spec is absent 60 s. */
export const ClaimRecord = z.object({ v: V, ownerId: Id, ownerName: z.string() });
export type ClaimRecord = z.infer<typeof ClaimRecord>;

// ---- plim_node -----------------------------------------------------------------------------------------------------

/** `<node>`: what the host is, written by its agent; CAS on `incarnation` refuses a cloned disk. */
export const NodeRecord = z.object({
  v: V,
  id: Id,
  incarnation: z.int().min(1),
  /** The agent process that wrote this: tells a cloned disk from a restart when incarnations are equal. */
  instance: Id.optional(),
  hostname: Hostname,
  /** Where other nodes reach this host (IPv4). */
  address: z.string(),
  /** What fits into a packet at that address; absent where the host does not tell. */
  uplinkMtuBytes: z.int().min(1).optional(),
  agentVersion: z.string(),
  agentPort: z.int(),
  engine: z.object({
    version: z.string(),
    apiVersion: z.string(),
    os: z.string(),
    architecture: z.string(),
    labels: z.record(z.string(), z.string()),
    plugins: z.array(z.object({ type: z.string(), name: z.string() })),
    liveRestore: z.boolean(),
  }),
  resources: z.object({
    nanoCpus: z.number(),
    memoryBytes: z.number(),
    generic: z.array(GenericResource).optional(),
  }),
  /** True on a node that runs a coordinator; its API address is then `managerAddress`. */
  manager: z.boolean(),
});
export type NodeRecord = z.infer<typeof NodeRecord>;

// ---- plim_task, plim_status ----------------------------------------------------------------------------------------

/** An address a container's port is served at on the node's own interfaces. `ingress` ports may be shared by tasks. */
export const TaskPort = PortConfig.required({ PublishedPort: true });
export type TaskPort = z.infer<typeof TaskPort>;

/**
 * `<node>.<task>`: an assignment. `desired`:
 * ready = have the image and wait; running = run it, restart it as the policy says;
 * stopped = stop and remove every container of it, then report `stopped`. Absence of the record means nothing at all.
 */
export const TaskRecord = z.object({
  v: V,
  epoch: Epoch,
  id: Id,
  serviceId: Id,
  serviceName: z.string(),
  serviceLabels: z.record(z.string(), z.string()),
  /** Replicated services: 1..n. Global ones: 0, the node is the slot. */
  slot: z.int().min(0),
  nodeId: Id,
  /** The operator's labels of the node when the task was made; there where its templates use them. */
  nodeLabels: z.record(z.string(), z.string()).optional(),
  revision: z.int().min(1),
  desired: z.enum(['ready', 'running', 'stopped']),
  template: TaskTemplate,
  ports: z.array(TaskPort),
  /** The generic resources it was given, of those it reserves. */
  generic: z.array(GenericResource).optional(),
  /** Of a job: exit code 0 is the end, whatever the restart policy says. */
  job: z.literal(true).optional(),
  /** Raised by the coordinator to have a (then unhealthy) container replaced: the attempt that must not run any more. */
  replaceAttempt: z.int().min(0),
  /** The attempt its agent revoked, after which the leader lets another begin. A replacement asked for earlier is no such word. */
  resumeAttempt: z.int().min(0).optional(),
  /** Failures of the slot at this revision so far, so that back-off travels with the slot. */
  priorFailures: z.int().min(0),
  /** Restarts of the slot at this revision by tasks before it, where the restart policy limits them. */
  priorRestarts: RestartTally.optional(),
  /** Written on the word of its node, that it runs there: no reason to tell the node what it does not have already. */
  claimed: z.literal(true).optional(),
  /** Why this task exists or stops, for people. */
  reason: z.string(),
  createdAtMs: TimeMs,
});
export type TaskRecord = z.infer<typeof TaskRecord>;

export const ExitRecord = z.object({
  attempt: z.int().min(1),
  containerId: z.string(),
  exitCode: z.int(),
  oomKilled: z.boolean(),
  error: z.string(),
  startedAtMs: TimeMs.optional(),
  finishedAtMs: TimeMs,
  /** The Swarm state this attempt ended in. */
  state: z.enum(['complete', 'failed', 'rejected', 'shutdown']),
});
export type ExitRecord = z.infer<typeof ExitRecord>;

/** States of one attempt in their order; an attempt only moves forward. The words are Swarm's. */
export const attemptStates = [
  'assigned',
  'preparing',
  'ready',
  'starting',
  'running',
  'complete',
  'shutdown',
  'failed',
  'rejected',
] as const;
export const AttemptState = z.enum(attemptStates);
export type AttemptState = z.infer<typeof AttemptState>;

export const HostPort = z.object({
  protocol: z.enum(['tcp', 'udp', 'sctp']),
  targetPort: z.int(),
  publishedPort: z.int(),
});
export type HostPort = z.infer<typeof HostPort>;

/** `<node>.<task>`: what the agent sees; ordered by (incarnation, attempt, sequence). */
export const StatusRecord = z.object({
  v: V,
  taskId: Id,
  serviceId: Id,
  slot: z.int().min(0),
  nodeId: Id,
  revision: z.int().min(1),
  incarnation: z.int().min(1),
  attempt: z.int().min(1),
  sequence: z.int().min(0),
  state: AttemptState,
  /** Running, and healthy where there is a health check: may get traffic, counts for updates. */
  ready: z.boolean(),
  health: z.enum(['none', 'starting', 'healthy', 'unhealthy']),
  /** True once every container of a task with desired `stopped` is gone. The leader then deletes the assignment. */
  removed: z.boolean(),
  containerId: z.string().optional(),
  pid: z.int().optional(),
  /** Address on the node's bridge network, if any. */
  address: z.string().optional(),
  /** Its addresses on the cluster's networks, while it runs. */
  networks: z.array(z.object({ networkId: z.string(), address: z.string() })).optional(),
  /** Ports the engine serves on the node, while it runs: tells those the engine was left to choose. */
  hostPorts: z.array(HostPort).optional(),
  /** The generic resources its assignment gives it: who writes a lost one again gives it the same. */
  generic: z.array(GenericResource).optional(),
  exitCode: z.int().optional(),
  /** Swarm's Message: the step ("started", "preparing"). */
  message: z.string(),
  /** Swarm's Err: what went wrong, a sentence for people; absent when nothing did. */
  error: z.string().optional(),
  /** What its readiness probe says against it. */
  unreadyBecause: z.string().optional(),
  /** When this attempt entered `state`. */
  changedAtMs: TimeMs,
  startedAtMs: TimeMs.optional(),
  /** When the agent will try again, after a failure. */
  retryAtMs: TimeMs.optional(),
  /** Failures since the last run of a minute; drives back-off. */
  failures: z.int().min(0),
  /** Cumulative over all attempts of this task. */
  restarts: z.int().min(0),
  /** Out-of-memory kills, cumulative. */
  oomKills: z.int().min(0),
  /** When they were, where the restart policy counts within a window. */
  restartedAtMs: z.array(TimeMs).optional(),
  /** Last 5 ended attempts, oldest first. */
  exits: z.array(ExitRecord),
  /** The restart policy allows no further attempt (max attempts, condition none or on-failure with exit 0). */
  final: z.boolean(),
  /** Stopped by its agent, which no longer heard the leader: it runs again when `resumeAttempt` has reached this attempt. */
  revoked: z.boolean().optional(),
});
export type StatusRecord = z.infer<typeof StatusRecord>;

// ---- plim_slot -----------------------------------------------------------------------------------------------------

/** One past attempt as `docker service ps` shows it. */
export const HistoryEntry = z.object({
  taskId: Id,
  attempt: z.int().min(1),
  nodeId: Id,
  revision: z.int().min(1),
  image: z.string(),
  state: z.enum(['complete', 'failed', 'rejected', 'shutdown', 'orphaned']),
  error: z.string(),
  exitCode: z.int().optional(),
  containerId: z.string(),
  createdAtMs: TimeMs,
  finishedAtMs: TimeMs,
});
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/** What keeps most nodes from taking a task, as one word: the sentence beside it says it for people. */
export const pendingCodes = [
  'no-nodes',
  'node-unavailable',
  'constraints',
  'platform',
  'resources',
  'port',
  'addresses',
  'max-replicas',
  'affinity',
  'volume',
] as const;
export const PendingCode = z.enum(pendingCodes);
export type PendingCode = z.infer<typeof PendingCode>;

/** `<service>.<slot>` (a global service's slot key is the node id). The leader's memory of a slot. */
export const SlotRecord = z.object({
  v: V,
  epoch: Epoch,
  serviceId: Id,
  slot: z.int().min(0),
  /** The node of a global service's slot. */
  nodeId: Id.optional(),
  /** Tasks ever made for this slot: makes the next task's id, so that two leaders make the same one. */
  tasksMade: z.int().min(0),
  /** Tells this record from one the slot had before and lost: part of the ids as well. Absent from earlier versions' records. */
  lineage: z.number().optional(),
  /** Tasks that have (or are about to get) an assignment; one whose record is missing is written again, never doubled. */
  assigned: z
    .array(
      z.object({
        taskId: Id,
        nodeId: Id,
        revision: z.int().min(1),
        generic: z.array(GenericResource).optional(),
      }),
    )
    .default([]),
  /** Why no task could be placed; absent when one is. */
  pending: z
    .object({
      taskId: Id,
      revision: z.int().min(1),
      sinceMs: TimeMs,
      reason: z.string(),
      /** Absent from records of earlier versions. */
      code: PendingCode.optional(),
    })
    .optional(),
  /** Failed attempts per node at the current revision: placement avoids nodes where it keeps failing. */
  failuresByNode: z.record(z.string(), z.int()),
  failuresRevision: z.int().min(0),
  /** The node that holds the named local volumes of this slot's tasks: they return there. */
  dataOn: z.object({ nodeId: Id, volumes: z.array(z.string()) }).optional(),
  /** Restarts at a revision by tasks whose records are gone, where the restart policy limits them. */
  restarts: RestartTally.extend({ revision: z.int().min(1) }).optional(),
  /** Of a job's slot: the run (revision) in which it ended with exit code 0. It never runs again in that run. */
  completedRevision: z.int().min(1).optional(),
  /** A stand-in for a task on a lost node: made at, in place of. */
  surge: z.object({ lostTaskId: Id, lostNodeId: Id, madeAtMs: TimeMs }).optional(),
  /** Newest last, bounded by the cluster's task history limit. */
  history: z.array(HistoryEntry),
});
export type SlotRecord = z.infer<typeof SlotRecord>;

// ---- plim_rollout --------------------------------------------------------------------------------------------------

export const RolloutRecord = z.object({
  v: V,
  epoch: Epoch,
  serviceId: Id,
  revision: z.int().min(1),
  /** The bus revision of the service record this roll-out acts on: a paused one starts over when the service is updated. */
  specVersion: z.int().min(0),
  /** The states of Swarm's UpdateStatus. */
  state: z.enum(['updating', 'paused', 'completed', 'rollback_started', 'rollback_paused', 'rollback_completed']),
  message: z.string(),
  /** Of a rollback nobody asked for: the update's failure that led to it. */
  cause: z.string().optional(),
  startedAtMs: TimeMs,
  completedAtMs: TimeMs.optional(),
  /** When the roll-out last made progress. */
  progressAtMs: TimeMs,
  /** Slots in work or done, by slot key: when their new task was made, and when it became ready. */
  slots: z.record(
    z.string(),
    z.object({
      taskId: Id,
      startedAtMs: TimeMs,
      readyAtMs: TimeMs.optional(),
      /** The old task has been told to stop, or the new one failed: the worker waits the delay and takes the next slot. */
      doneAtMs: TimeMs.optional(),
      failed: z.boolean(),
      /** It failed by taking too long, not by ending. */
      overdue: z.boolean().optional(),
      /** The attempt its task was at when the slot came into work, of a task that was there before. */
      attemptFound: z.int().optional(),
    }),
  ),
});
export type RolloutRecord = z.infer<typeof RolloutRecord>;

// ---- plim_lease ----------------------------------------------------------------------------------------------------

/** `leader`: who leads. `epoch` grows with every change of hands. */
export const LeaseRecord = z.object({
  v: V,
  epoch: Epoch,
  holderId: z.string(),
  holderNodeId: z.string(),
  renewal: z.int(),
});
export type LeaseRecord = z.infer<typeof LeaseRecord>;

/** plim_spec `epoch.leader`: the highest epoch ever handed out; outlives the lease, which lies in memory. */
export const EpochRecord = z.object({ v: V, epoch: Epoch });
export type EpochRecord = z.infer<typeof EpochRecord>;
