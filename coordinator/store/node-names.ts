/** What nodes are called. Pure. */
import type { Snapshot } from './snapshot.ts';

/** A node's name for people: what the operator called it, else its hostname, else its id. */
export function nodeName(snapshot: Snapshot, nodeId: string): string {
  return snapshot.nodeSpecs.get(nodeId)?.value.name ?? snapshot.nodes.get(nodeId)?.value.hostname ?? nodeId;
}

/** What Docker's clients know a node by; empty while its agent has not registered. */
export function hostnameOf(snapshot: Snapshot, nodeId: string): string {
  return snapshot.nodes.get(nodeId)?.value.hostname ?? '';
}
