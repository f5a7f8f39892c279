/** What is known of the coordinators on the cluster's nodes. Pure. */
import type { NodeSpecRecord } from '../../model/node-record.ts';
import type { Snapshot } from './snapshot.ts';

export type ManagerStatus = 'leader' | 'reachable' | 'unreachable';

/** A node that runs a coordinator is a manager whatever was wished when it joined. */
export function isManager(snapshot: Snapshot, spec: NodeSpecRecord): boolean {
  return snapshot.nodes.get(spec.id)?.value.manager ?? spec.role === 'manager';
}

/** Of a node's coordinator, which may be away while the node is well; undefined for a node that has none. */
export function managerStatusOf(snapshot: Snapshot, spec: NodeSpecRecord): ManagerStatus | undefined {
  if (!isManager(snapshot, spec)) return undefined;
  if (snapshot.leader?.nodeId === spec.id) return 'leader';
  return snapshot.coordinatorNodes.has(spec.id) ? 'reachable' : 'unreachable';
}
