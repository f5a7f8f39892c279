/** A node that is lost says no goodbye: whoever waits for its bytes looks now and then whether it is still there. */
import { PlimsollError } from '../../../runtime/errors.ts';
import type { DockerApiParts } from './api-parts.ts';
import { nodeState } from './node-state.ts';
import { nodeName } from './references.ts';

const LOOK_MS = 500;

type WatchParts = Pick<DockerApiParts, 'snapshot' | 'clock'>;

/** Aborts `leaving` when the node is down; ends when something else has aborted it. */
export async function leaveLostNode(parts: WatchParts, nodeId: string, leaving: AbortController): Promise<void> {
  while (!leaving.signal.aborted) {
    await parts.clock.sleep(LOOK_MS, leaving.signal).catch(() => undefined);
    if (nodeState(parts.snapshot(), nodeId) === 'down') leaving.abort();
  }
}

/** Throws `unavailable`, saying what cannot be done, when the node is down. */
export function refuseLostNode(parts: Pick<WatchParts, 'snapshot'>, nodeId: string, what: string): void {
  if (nodeState(parts.snapshot(), nodeId) === 'down') throw nodeDown(parts, nodeId, what);
}

export function nodeDown(parts: Pick<WatchParts, 'snapshot'>, nodeId: string, what: string): PlimsollError {
  return new PlimsollError('unavailable', `Cannot ${what}: node ${shownNode(parts, nodeId)} is down`);
}

export function shownNode({ snapshot }: Pick<WatchParts, 'snapshot'>, nodeId: string): string {
  return nodeName(snapshot(), nodeId) || nodeId;
}
