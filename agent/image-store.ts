/** Has images ready on this node: one pull at a time per image, and no storm on a registry that just failed. */
import type { Clock } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Engine } from './engine/engine.ts';

/** A tag looked up this recently is not looked up again. */
const FRESH_MS = 60_000;

export class ImageStore {
  private readonly engine: Engine;
  private readonly clock: Clock;
  private readonly pulls = new Map<string, Promise<void>>();
  private readonly pulled = new Set<string>();
  private readonly lookedUpAtMs = new Map<string, number>();

  constructor(engine: Engine, clock: Clock) {
    this.engine = engine;
    this.clock = clock;
  }

  /**
   * Resolves when the image is on the node. With `refresh` a pull comes first, and the image that lies here will do if
   * it fails, as Swarm has it. Throws `not-found` with the registry's words.
   */
  async ensure(image: string, refresh: boolean, signal: AbortSignal): Promise<void> {
    const here = await this.engine.hasImage(image);
    if (here && (!refresh || this.isFresh(image))) return;
    try {
      await orAborted(this.pullOnce(image), signal);
      if (!here) this.pulled.add(image);
    } catch (error) {
      if (signal.aborted || isUnavailable(error)) throw error;
      if (!here) throw new PlimsollError('not-found', `No such image: ${image}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Whether an image that was not on the node was fetched here since this start. */
  hasPulled(image: string): boolean {
    return this.pulled.has(image);
  }

  private isFresh(image: string): boolean {
    const atMs = this.lookedUpAtMs.get(image);
    return atMs !== undefined && this.clock.elapsedMs() - atMs < FRESH_MS;
  }

  private pullOnce(image: string): Promise<void> {
    const running = this.pulls.get(image);
    if (running) return running;
    const pull = this.engine.pull(image, new AbortController().signal).finally(() => {
      this.pulls.delete(image);
      this.lookedUpAtMs.set(image, this.clock.elapsedMs());
    });
    this.pulls.set(image, pull);
    return pull;
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof PlimsollError && error.code === 'unavailable';
}

/** The pull itself goes on for others that wait for it. */
function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new PlimsollError('timeout', 'The pull is no longer wanted'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
