/** Which nodes have applied which of this node's announcements, and waiting for those that have not. */
import type { NetworkAcknowledgement } from '../../model/network-acknowledgement.ts';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';

/** An announcement, and the nodes that have to apply it. */
export interface Announced extends NetworkAcknowledgement {
  readonly nodeIds: readonly string[];
}

export class Acknowledgements {
  private readonly clock: Clock;
  /** The newest revision, by node and what was announced. */
  private readonly heard = new Map<string, number>();
  /** Did not answer what they were told last of this; by the same. */
  private readonly silent = new Set<string>();
  private readonly waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  note(nodeId: string, { networkId, revision }: NetworkAcknowledgement): void {
    const key = keyOf(nodeId, networkId);
    this.silent.delete(key);
    this.heard.set(key, revision);
    for (const look of this.waiting) look();
  }

  /** The bucket lost what it had and counts anew: what was acknowledged says nothing any more. */
  forget(): void {
    this.heard.clear();
  }

  /**
   * Resolves when all have applied these, or the time is over; answers the nodes that were waited for in vain. A node that
   * did not answer is not waited for again until it is heard of: it must not hold up every stop.
   */
  async all(announced: readonly Announced[], timeoutMs: number): Promise<string[]> {
    const missing = () =>
      announced.flatMap(({ nodeIds, networkId, revision }) =>
        nodeIds
          .map((nodeId) => ({ nodeId, key: keyOf(nodeId, networkId) }))
          .filter(({ key }) => !this.silent.has(key) && (this.heard.get(key) ?? -1) < revision),
      );
    await this.until(() => missing().length === 0, timeoutMs);
    const inVain = missing();
    for (const { key } of inVain) this.silent.add(key);
    return [...new Set(inVain.map(({ nodeId }) => nodeId))];
  }

  private async until(isDone: () => boolean, timeoutMs: number): Promise<void> {
    if (isDone()) return;
    let look: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      look = () => isDone() && resolve();
    });
    this.waiting.add(look);
    const late = () => new PlimsollError('timeout', `not acknowledged within ${timeoutMs} ms`);
    await withDeadline(this.clock, timeoutMs, done, late).catch(() => undefined);
    this.waiting.delete(look);
  }
}

function keyOf(nodeId: string, networkId = ''): string {
  return `${nodeId}.${networkId}`;
}
