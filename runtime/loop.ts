/** The one wake-up rule of every control loop: when poked, at least every `resyncMs`, never closer than `minGapMs`. */
import type { Clock } from './clock.ts';

export interface LoopTimes {
  readonly minGapMs: number;
  readonly resyncMs: number;
  /** Wait after a failed tick. */
  readonly retryMs: number;
}

/** A flag that many may raise and one waits for; raised while nobody waits, it is remembered once. */
export class Poke {
  private raised = false;
  private wake: (() => void) | undefined;

  poke(): void {
    this.raised = true;
    this.wake?.();
  }

  /** Resolves when poked, at once if that happened since the last wait; also resolves when aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.raised && !signal.aborted) {
      let wake = () => {};
      await new Promise<void>((resolve) => {
        wake = resolve;
        this.wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
      signal.removeEventListener('abort', wake);
      this.wake = undefined;
    }
    this.raised = false;
  }
}

export interface Loop {
  readonly tick: () => Promise<void>;
  readonly poke: Poke;
  readonly times: LoopTimes;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** Runs a loop until the signal aborts. A failing tick is reported and retried; the loop itself never dies. */
export async function runLoop(loop: Loop, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    let waitMs = loop.times.resyncMs;
    try {
      await loop.tick();
    } catch (error) {
      if (signal.aborted) return;
      loop.onError(error);
      waitMs = loop.times.retryMs;
    }
    await loop.clock.sleep(loop.times.minGapMs, signal).catch(() => undefined);
    await pokedOrDue(loop, waitMs, signal);
  }
}

/** Links by hand: AbortSignal.any() of Node 20 keeps a little memory per call on a signal that lives long. */
async function pokedOrDue(loop: Loop, waitMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const waiting = new AbortController();
  const stopWaiting = () => waiting.abort(null);
  signal.addEventListener('abort', stopWaiting, { once: true });
  const due = loop.clock.sleep(waitMs, waiting.signal).catch(() => undefined);
  await Promise.race([loop.poke.wait(waiting.signal), due]);
  signal.removeEventListener('abort', stopWaiting);
  waiting.abort(null);
}
