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
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }

  /** Calls back once when poked, at once if that happened since it was last lowered. Whoever asked before is forgotten. */
  whenRaised(wake: () => void): void {
    if (this.raised) wake();
    else this.wake = wake;
  }

  /** As if never poked, and nobody waiting. */
  lower(): void {
    this.raised = false;
    this.wake = undefined;
  }

  /** Resolves when poked, at once if that happened since the last wait; also resolves when aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.raised && !signal.aborted) await this.pokedOrAborted(signal);
    this.lower();
  }

  private async pokedOrAborted(signal: AbortSignal): Promise<void> {
    let wake = () => {};
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.wake = wake;
      signal.addEventListener('abort', wake, { once: true });
    });
    signal.removeEventListener('abort', wake);
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
  const pause = new Pause(loop);
  const stop = () => pause.end();
  signal.addEventListener('abort', stop, { once: true });
  while (!signal.aborted) {
    let waitMs = loop.times.resyncMs;
    try {
      await loop.tick();
    } catch (error) {
      if (signal.aborted) break;
      loop.onError(error);
      waitMs = loop.times.retryMs;
    }
    if (!signal.aborted) await pause.wait(waitMs);
  }
  signal.removeEventListener('abort', stop);
}

/** The wait between two ticks: one timer and one promise, as most loops wait most of the time. */
class Pause {
  private readonly loop: Loop;
  private wake: (() => void) | undefined;
  private cancelTimer = () => {};

  constructor(loop: Loop) {
    this.loop = loop;
  }

  /** Resolves after the gap, `waitMs` later at the latest, as soon as the loop is poked, or when it is to end. */
  wait(waitMs: number): Promise<void> {
    const { clock, poke, times } = this.loop;
    const { minGapMs } = times;
    const beganMs = clock.elapsedMs();
    return new Promise((resolve) => {
      this.wake = resolve;
      this.cancelTimer = clock.after(minGapMs + waitMs, () => this.end());
      poke.whenRaised(() => {
        this.cancelTimer();
        const leftMs = minGapMs - (clock.elapsedMs() - beganMs);
        if (leftMs <= 0) this.end();
        else this.cancelTimer = clock.after(leftMs, () => this.end());
      });
    });
  }

  end(): void {
    this.cancelTimer();
    this.loop.poke.lower();
    this.wake?.();
  }
}
