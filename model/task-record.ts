/** plim_task: what nodes are told to run. */
import { z } from 'zod';
import { GenericResource } from './generic-resources.ts';
import { Epoch, FormatVersion, Id, TimeMs } from './record-format.ts';
import { RestartTally } from './restart-tally.ts';
import { PortConfig, TaskTemplate } from './service-spec.ts';

/** An address a container's port is served at on the node's own interfaces. `ingress` ports may be shared by tasks. */
export const TaskPort = PortConfig.required({ PublishedPort: true });
export type TaskPort = z.infer<typeof TaskPort>;

/**
 * `<node>.<task>`: an assignment. `desired`:
 * ready = have the image and wait; running = run it, restart it as the policy says;
 * stopped = stop and remove every container of it, then report `stopped`. Absence of the record means nothing at all.
 */
export const TaskRecord = z.object({
  v: FormatVersion,
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
