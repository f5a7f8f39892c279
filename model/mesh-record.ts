/** The routing mesh: what each node tells the others of the ports it publishes. */
import { z } from 'zod';
import { FormatVersion, Id } from './record-format.ts';

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

/**
 * What a node's agent does that older ones do not: nothing is expected of who does not say it. `acknowledges`: says so when
 * it has applied another's record here. `answers-probes`: refuses datagrams to the probes' port that come through the tunnel.
 */
export type NodeAbility = 'acknowledges' | 'answers-probes';

/** plim_mesh `<node>`: written by that node's agent, whether it runs tasks or not: every node answers on every port. */
export const MeshRecord = z.object({
  v: FormatVersion,
  nodeId: Id,
  /** Where the other nodes reach it. */
  address: z.ipv4(),
  ports: z.array(MeshPort),
  /** Those of later agents may be among them. Absent: an agent older than this field. */
  abilities: z.array(z.string().max(40)).max(20).optional(),
});
export type MeshRecord = z.infer<typeof MeshRecord>;

export function isAbleTo(ability: NodeAbility, { abilities }: Pick<MeshRecord, 'abilities'>): boolean {
  return abilities?.includes(ability) ?? false;
}
