/** What the coordinator's native API (`/v1/*` on its unix socket) answers: for what Docker's API has no word for. */
import { z } from 'zod';
import { DrainProgress } from './drain-progress.ts';
import { PlacementTable } from './placement-table.ts';
import { Id } from './record-format.ts';
import { modeNames } from './service-defaults.ts';

export const NodeSummary = z.object({
  id: Id,
  hostname: z.string(),
  /** ready, suspect, lost, engine-unresponsive, unknown; `down` for a node that never registered or left. */
  state: z.string(),
  /** Why it is in that state. */
  message: z.string(),
  availability: z.string(),
  address: z.string(),
  manager: z.boolean(),
  leader: z.boolean(),
  /** What is known of its coordinator; empty for a node without one. */
  managerStatus: z.enum(['', 'leader', 'reachable', 'unreachable']),
  engineVersion: z.string(),
  /** Grows with every start of its agent; 0 before the first. */
  incarnation: z.int(),
  agentVersion: z.string(),
  runningTasks: z.int(),
});
export type NodeSummary = z.infer<typeof NodeSummary>;

export const ServiceSummary = z.object({
  id: Id,
  name: z.string(),
  mode: z.enum(modeNames),
  image: z.string(),
  desired: z.int(),
  running: z.int(),
  ready: z.int(),
  /** State of the last update, empty when there was none. */
  update: z.string(),
  /** Why not everything runs: the first reason found, empty when everything does. */
  problem: z.string(),
});
export type ServiceSummary = z.infer<typeof ServiceSummary>;

/** A stored record nobody can read: kept as it is, not acted on. */
export const DamagedRecord = z.object({
  bucket: z.string(),
  key: z.string(),
  problem: z.string(),
  /** What can be done about it. */
  advice: z.string(),
});
export type DamagedRecord = z.infer<typeof DamagedRecord>;

/** `GET /v1/status` */
export const ClusterStatus = z.object({
  clusterId: z.string(),
  version: z.string(),
  /** Undefined while nobody leads. */
  leader: z.object({ nodeId: z.string(), hostname: z.string(), epoch: z.int() }).optional(),
  busConnected: z.boolean(),
  /** False while this coordinator's copy of the cluster's state may be old. */
  stateCurrent: z.boolean(),
  nodes: z.array(NodeSummary),
  services: z.array(ServiceSummary),
  damagedRecords: z.array(DamagedRecord).default([]),
  /** Of drained nodes that are not empty yet, or whose tasks found no other place. */
  drains: z.array(DrainProgress).default([]),
  /** What agents say is wrong with the cluster's networks on their hosts. */
  networkWarnings: z
    .array(z.object({ node: z.string(), kind: z.string(), says: z.string(), advice: z.string() }))
    .default([]),
});
export type ClusterStatus = z.infer<typeof ClusterStatus>;

/** `GET /v1/token`, `POST /v1/token/rotate` */
/** `POST /v1/secrets/<name>/rotate` */
export const RotationAnswer = z.object({
  id: z.string(),
  version: z.int(),
  /** The name the content before has now. */
  formerName: z.string(),
  /** Names of the services that are being updated. */
  services: z.array(z.string()),
});
export type RotationAnswer = z.infer<typeof RotationAnswer>;

export const JoinTokenAnswer = z.object({ token: z.string(), address: z.string() });
export type JoinTokenAnswer = z.infer<typeof JoinTokenAnswer>;

export const WhyPart = z.object({ name: z.string(), state: z.string(), node: z.string(), reason: z.string() });
export type WhyPart = z.infer<typeof WhyPart>;

/** `GET /v1/why/<task, service or node>` */
export const WhyAnswer = z.object({
  kind: z.enum(['service', 'task', 'node']),
  id: z.string(),
  name: z.string(),
  /** Sentences about the thing itself. */
  facts: z.array(z.string()),
  /** Its tasks, past and present, with the reason each is as it is. */
  parts: z.array(WhyPart),
  /** Of a task that waits, and of a service that can be scaled. */
  placement: PlacementTable.optional(),
});
export type WhyAnswer = z.infer<typeof WhyAnswer>;

/** Absent where it is not known: nothing was heard of the node in the last 10 s, or only once. Rates are per second. */
const Amount = z.number().optional();

/** `GET /v1/usage/nodes`: every node, the busiest first. */
export const NodeUsage = z.object({
  id: Id,
  name: z.string(),
  state: z.string(),
  cpuCores: Amount,
  cpuTotalCores: Amount,
  memoryBytes: Amount,
  memoryTotalBytes: Amount,
  load1: Amount,
  diskBytes: Amount,
  diskTotalBytes: Amount,
  /** Tasks measured there. */
  tasks: z.int(),
});
export type NodeUsage = z.infer<typeof NodeUsage>;

/** `GET /v1/usage/services`: every service, the busiest first; sums over its tasks. */
export const ServiceUsage = z.object({
  id: Id,
  name: z.string(),
  /** Tasks measured, of those wanted. */
  tasks: z.int(),
  desired: z.int(),
  cpuCores: Amount,
  memoryBytes: Amount,
  receiveBytesPerSecond: Amount,
  transmitBytesPerSecond: Amount,
  /** Begun to its tasks; not known of services that neither publish a port nor are on a network. */
  connectionsPerSecond: Amount,
});
export type ServiceUsage = z.infer<typeof ServiceUsage>;

/** `GET /v1/usage/tasks`: every task that is measured, the busiest first. */
export const TaskUsageRow = z.object({
  id: Id,
  name: z.string(),
  node: z.string(),
  cpuCores: Amount,
  /** Absent without a limit, here and below. */
  cpuLimitCores: Amount,
  memoryBytes: Amount,
  memoryLimitBytes: Amount,
  receiveBytesPerSecond: Amount,
  transmitBytesPerSecond: Amount,
  connectionsPerSecond: Amount,
});
export type TaskUsageRow = z.infer<typeof TaskUsageRow>;

/** `GET /v1/usage/calls`: which service begins connections to which, the most first. */
export const CallUsage = z.object({
  /** Absent for whoever is no ready task of a service on a network: clients from outside above all. */
  from: z.string().optional(),
  to: z.string(),
  connectionsPerSecond: z.number(),
});
export type CallUsage = z.infer<typeof CallUsage>;
