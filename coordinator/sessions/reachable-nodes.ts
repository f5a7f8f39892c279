/** Which nodes can be asked something, and what people call them. Pure. */
import type { Snapshot } from '../store/snapshot.ts';

/** Lost, or with an engine that does not answer: whoever waits for it waits in vain. */
export function isDown(snapshot: Snapshot, nodeId: string): boolean {
  const state = snapshot.liveness.get(nodeId)?.state;
  return state === 'lost' || state === 'engine-unresponsive';
}

/** Those nothing bad is known of; of some nothing may be known yet. */
export function nodesUp(snapshot: Snapshot): string[] {
  return [...snapshot.nodeSpecs.keys()].filter((nodeId) => !isDown(snapshot, nodeId));
}

/** Those that were heard of lately. */
export function nodesReady(snapshot: Snapshot): string[] {
  return nodesUp(snapshot).filter((nodeId) => (snapshot.liveness.get(nodeId)?.state ?? 'unknown') !== 'unknown');
}

/** The hostname; the id of a node that has not told it yet. */
export function shownNode(snapshot: Snapshot, nodeId: string): string {
  return snapshot.nodes.get(nodeId)?.value.hostname || nodeId;
}
