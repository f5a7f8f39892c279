/** The four states the Engine API has for a node. Pure. */
import type { NodeState, Snapshot } from '../../store/snapshot.ts';

export type DockerNodeState = 'ready' | 'down' | 'unknown';

const words: Readonly<Record<NodeState, DockerNodeState>> = {
  ready: 'ready',
  suspect: 'ready',
  lost: 'down',
  'engine-unresponsive': 'down',
  unknown: 'unknown',
};

export function nodeState(snapshot: Snapshot, nodeId: string): DockerNodeState {
  return words[snapshot.liveness.get(nodeId)?.state ?? 'unknown'];
}
