/** A node that is lost says no goodbye: whoever waits for its bytes looks now and then whether it is still there. */
import type { Clock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { isDown, shownNode } from './reachable-nodes.ts';

const LOOK_MS = 500;

interface WatchParts {
  readonly snapshot: () => Snapshot;
  readonly clock: Clock;
}

/** Aborts `leaving` when the node is down; ends when something else has aborted it. */
export async function leaveLostNode(parts: WatchParts, nodeId: string, leaving: AbortController): Promise<void> {
  while (!leaving.signal.aborted) {
    await parts.clock.sleep(LOOK_MS, leaving.signal).catch(() => undefined);
    if (isDown(parts.snapshot(), nodeId)) leaving.abort();
  }
}

/** Throws `unavailable`, saying what cannot be done, when the node is down. */
export function refuseLostNode(parts: Pick<WatchParts, 'snapshot'>, nodeId: string, what: string): void {
  if (isDown(parts.snapshot(), nodeId)) throw nodeDown(parts, nodeId, what);
}

export function nodeDown(parts: Pick<WatchParts, 'snapshot'>, nodeId: string, what: string): PlimsollError {
  return new PlimsollError('unavailable', `Cannot ${what}: node ${shownNode(parts.snapshot(), nodeId)} is down`);
}
