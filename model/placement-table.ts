/** How placement sees the nodes for one more task of a service: part of `GET /v1/why/<task or service>`. */
import { z } from 'zod';
import { Id } from './record-format.ts';

/** Of a node that would do: the first number that differs from another's decides, lower is better. */
const PlacementScore = z.object({
  /** 1 where the service has failed often lately. */
  failing: z.int(),
  /** Tasks of the service on this node. */
  copies: z.int(),
  /** How busy it was measured to be, in coarse steps. */
  busy: z.number(),
  /** Tasks of all services on this node. */
  tasks: z.int(),
  /** The larger of the reserved shares of its processors and its memory, in whole tenths. */
  reservedTenths: z.int(),
  /** 1 where no task brought the image yet. */
  lacksImage: z.int(),
});

export const NodeVerdict = z.object({
  nodeId: Id,
  node: z.string(),
  /** Why not, with its numbers; absent for a node that would do. */
  objection: z.string().optional(),
  /** Absent for a node that says no. */
  score: PlacementScore.optional(),
});
export type NodeVerdict = z.infer<typeof NodeVerdict>;

export const PlacementTable = z.object({
  /** What the table answers: "where one more task of web would go now". */
  question: z.string(),
  /** How nodes that would do are ordered. */
  order: z.string(),
  /** The best first, those that say no last. */
  nodes: z.array(NodeVerdict),
});
export type PlacementTable = z.infer<typeof PlacementTable>;
