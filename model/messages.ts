/** What goes over core NATS and is never stored: beats, usage, requests to an agent and their answers, joining. */
import { z } from 'zod';
import { NetworkWarnings } from './network-warning.ts';
import { Id } from './record-format.ts';

/** `plim.beat.<node>`, every 500 ms from the agent's beat thread. */
export const Beat = z.object({
  nodeId: Id,
  incarnation: z.int(),
  sequence: z.int(),
  /** How long ago the agent's main loop last turned; large = the agent hangs though its beat thread lives. */
  mainLoopAgeMs: z.number(),
  /** Engine answered its last call within the deadline; `false` after two missed ones. */
  engineResponsive: z.boolean(),
  /** The highest lease epoch this agent has accepted. */
  epoch: z.int(),
});
export type Beat = z.infer<typeof Beat>;

/** `plim.coordinator.beat`, every second from each coordinator. */
export const CoordinatorBeat = z.object({
  coordinatorId: Id,
  /** The node its host is; absent until that has joined. */
  nodeId: Id.optional(),
});
export type CoordinatorBeat = z.infer<typeof CoordinatorBeat>;

/** What a coordinator asks of the one beside the NATS server: `plim.coordinator.keys.<verb>`. */
export const RevokeRequest = z.object({ publicKey: z.string() });
export const JoinTokenReply = z.object({ token: z.string() });

const Amount = z.number().min(0);

/** What the containers of a task use. Rates are those of the last two seconds, absent until there are two samples. */
export const TaskUsage = z.object({
  taskId: Id,
  serviceId: Id,
  cpuCores: Amount.optional(),
  /** Absent without a limit, here and below. */
  cpuLimitCores: Amount.optional(),
  /** The working set: what counts towards the limit. */
  memoryBytes: Amount,
  memoryLimitBytes: Amount.optional(),
  receiveBytesPerSecond: Amount.optional(),
  transmitBytesPerSecond: Amount.optional(),
  /** Begun to it; absent for tasks that neither publish a port nor are on a network. */
  connectionsPerSecond: Amount.optional(),
});
export type TaskUsage = z.infer<typeof TaskUsage>;

/** How many pairs of services a node tells of at most. */
export const CALLS_AT_MOST = 200;

/** Connections tasks of one service begin to tasks of another on this node. */
export const ServiceCalls = z.object({
  /** Absent for whoever is no ready task of a service on a network: clients from outside above all. */
  from: Id.optional(),
  to: Id,
  connectionsPerSecond: Amount,
});
export type ServiceCalls = z.infer<typeof ServiceCalls>;

/** `plim.usage.<node>`, every 2 s: what the host as a whole and each task of ours on it uses. */
export const Usage = z.object({
  nodeId: Id,
  cpuCores: Amount.optional(),
  cpuTotalCores: Amount,
  memoryBytes: Amount,
  memoryTotalBytes: Amount,
  /** Load average of the last minute. */
  load1: Amount,
  /** Of the file system the engine keeps images and containers on; absent when it cannot be seen from the agent. */
  disk: z.object({ bytes: Amount, totalBytes: Amount }).optional(),
  tasks: z.array(TaskUsage),
  /** Those with most connections; absent where they are not counted. */
  calls: z.array(ServiceCalls).max(CALLS_AT_MOST).optional(),
  /** What is wrong with the cluster's networks there: whatever is sent here costs no numbers. */
  networkWarnings: NetworkWarnings.optional().catch(undefined),
});
export type Usage = z.infer<typeof Usage>;

/** What a node says of containers that carry this cluster's labels but have no assignment. */
export const Orphan = z.object({
  taskId: Id,
  serviceId: Id,
  slot: z.int(),
  revision: z.int(),
  containerId: z.string(),
  running: z.boolean(),
});
export type Orphan = z.infer<typeof Orphan>;

/** Verbs of `plim.rpc.<node>.<verb>`; every reply is a sequence of frames that ends with an empty one (see bus/rpc). */
export const ContainerListRequest = z.object({ all: z.boolean() });
export const LogsRequest = z.object({
  taskId: Id,
  follow: z.boolean(),
  tail: z.union([z.literal('all'), z.int().min(0)]),
  sinceSeconds: z.number(),
  untilSeconds: z.number(),
  timestamps: z.boolean(),
  stdout: z.boolean(),
  stderr: z.boolean(),
});
export type LogsRequest = z.infer<typeof LogsRequest>;
/** The engine's own usage figures of a container: one JSON object a second, or one only; `oneShot`: without measuring first. */
export const StatsRequest = z.object({ id: z.string().min(1), stream: z.boolean(), oneShot: z.boolean() });
export type StatsRequest = z.infer<typeof StatsRequest>;
/** Ends the running attempt of the task a container belongs to, so that its next one begins. */
export const RestartRequest = z.object({ containerId: z.string().min(1), graceMs: z.int().min(0) });
/** The node's own /metrics page. */
export const MetricsRequest = z.object({});
/** Can this node open a TCP connection to there? */
export const ProbeRequest = z.object({
  address: z.string(),
  port: z.int().min(0).max(65_535),
  timeoutMs: z.int().min(1),
});
export type ProbeRequest = z.infer<typeof ProbeRequest>;
export const ProbeReply = z.object({ reachable: z.boolean(), error: z.string().optional() });
export type ProbeReply = z.infer<typeof ProbeReply>;
/** Which agent runs as a node: a second one under the same identity asks before it takes the place. */
export const InstanceReply = z.object({
  instance: Id.optional(),
  incarnation: z.int().min(1),
  hostname: z.string(),
  address: z.string(),
});
export type InstanceReply = z.infer<typeof InstanceReply>;
export const OrphansReply = z.object({ orphans: z.array(Orphan) });

/** `plim.join`: a node with the join token asks to be let in. */
export const JoinRequest = z.object({ publicKey: z.string(), hostname: z.string(), nodeId: Id.optional() });
export type JoinRequest = z.infer<typeof JoinRequest>;
export const JoinReply = z.discriminatedUnion('accepted', [
  z.object({
    accepted: z.literal(true),
    nodeId: Id,
    clusterId: Id,
    jwt: z.string(),
    natsUrls: z.array(z.string()),
    caPem: z.string(),
  }),
  z.object({ accepted: z.literal(false), error: z.string() }),
]);
export type JoinReply = z.infer<typeof JoinReply>;

/** An entry of the event stream `plim.event.<kind>.<id>`: what happened to a thing, as `docker events` shows it, and why. */
export const ClusterEvent = z.object({
  kind: z.enum(['service', 'node', 'task', 'container', 'cluster', 'secret', 'config', 'network', 'volume']),
  id: z.string(),
  action: z.string(),
  attributes: z.record(z.string(), z.string()),
  atMs: z.number(),
});
export type ClusterEvent = z.infer<typeof ClusterEvent>;
