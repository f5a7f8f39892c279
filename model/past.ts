/** What is remembered of decisions and of ended attempts, for `plim why --at`: messages of the stream `plim_past`. */
import { z } from 'zod';
import { PlacementTable } from './placement-table.ts';
import { FormatVersion, Id } from './record-format.ts';
import { ExitRecord } from './status-record.ts';

/** What became of a slot or of a task of it. */
const PastChange = z.object({
  /** The slot's key: its number, or the node of a global service's slot. */
  slot: z.string(),
  /** Absent while the slot waits, or no longer waits, for a node. */
  taskId: Id.optional(),
  nodeId: Id.optional(),
  revision: z.int().optional(),
  what: z.enum(['placed', 'restarted', 'stopped', 'waits', 'waits no more']),
  reason: z.string(),
});
export type PastChange = z.infer<typeof PastChange>;

/** `plim.past.decision.<service>`: what one plan of the leader changed about a service. */
export const PastDecision = z.object({
  v: FormatVersion,
  serviceId: Id,
  atMs: z.number(),
  changes: z.array(PastChange),
  /** How its roll-out went on. */
  rollout: z.object({ state: z.string(), revision: z.int(), message: z.string() }).optional(),
  /** How placement found the nodes; there when a task was placed, or asked in vain. */
  table: PlacementTable.optional(),
});
export type PastDecision = z.infer<typeof PastDecision>;

/** `plim.past.exit.<service>.<slot key>`: an attempt ended that its task was not told to end. May be there twice. */
export const PastExit = z.object({ v: FormatVersion, taskId: Id, nodeId: Id, exit: ExitRecord });
export type PastExit = z.infer<typeof PastExit>;
