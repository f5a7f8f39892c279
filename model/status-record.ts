/** plim_status: what agents say of their tasks. */
import { z } from 'zod';
import { GenericResource } from './generic-resources.ts';
import { FormatVersion, Id, TimeMs } from './record-format.ts';

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
  v: FormatVersion,
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
