/** plim_slot: the leader's memory of a slot. */
import { z } from 'zod';
import { GenericResource } from './generic-resources.ts';
import { Epoch, FormatVersion, Id, TimeMs } from './record-format.ts';
import { RestartTally } from './restart-tally.ts';

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
  v: FormatVersion,
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
