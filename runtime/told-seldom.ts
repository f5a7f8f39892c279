/** Words about what may happen a thousand times a second. */
import type { Clock } from './clock.ts';

/** Between two words about the same kind of event. */
export const toldEveryMs = 60_000;

interface Told {
  atMs: number;
  /** Since then. */
  untold: number;
}

/** Tells of each kind of event at once, and then of all that came within a minute together. */
export class ToldSeldom {
  private readonly clock: Pick<Clock, 'elapsedMs'>;
  private readonly byKind = new Map<string, Told>();

  constructor(clock: Pick<Clock, 'elapsedMs'>) {
    this.clock = clock;
  }

  /** `tell` learns how many events of this kind nobody was told of since the last time. Kinds are remembered for ever. */
  event(kind: string, tell: (untold: number) => void): void {
    const atMs = this.clock.elapsedMs();
    const told = this.byKind.get(kind);
    if (told && atMs - told.atMs < toldEveryMs) {
      told.untold += 1;
      return;
    }
    this.byKind.set(kind, { atMs, untold: 0 });
    tell(told?.untold ?? 0);
  }
}
