/** The routing mesh: what each node tells the others of the ports it publishes. */
import { z } from 'zod';
import { Id } from './records.ts';

/** As many as a service may have replicas. */
const TASKS_AT_MOST = 10_000;

/** A published port with ready tasks on a node. */
export const MeshPort = z.object({
  protocol: z.enum(['tcp', 'udp']),
  port: z.int().min(1).max(65_535),
  /** Ready tasks behind it: the node's share of new connections. Bounded, so that no node can claim all of them. */
  tasks: z.int().min(1).max(TASKS_AT_MOST),
  affinity: z.enum(['none', 'client-ip']),
  masquerade: z.boolean(),
});
export type MeshPort = z.infer<typeof MeshPort>;

/** plim_mesh `<node>`: written by that node's agent, whether it runs tasks or not: every node answers on every port. */
export const MeshRecord = z.object({
  v: z.literal(1),
  nodeId: Id,
  /** Where the other nodes reach it. */
  address: z.ipv4(),
  ports: z.array(MeshPort),
});
export type MeshRecord = z.infer<typeof MeshRecord>;
