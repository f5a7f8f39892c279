/** Long work in short turns: what else the process has to do gets its chance in between. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../runtime/clock.ts';

const TURN_MS = 1.5;

export class Turns {
  private readonly clock: Pick<Clock, 'elapsedMs'>;
  private begunMs: number;

  constructor(clock: Pick<Clock, 'elapsedMs'>) {
    this.clock = clock;
    this.begunMs = clock.elapsedMs();
  }

  /** To be called often; lets others in when this turn has lasted long enough. */
  async yieldIfLong(): Promise<void> {
    if (this.clock.elapsedMs() - this.begunMs < TURN_MS) return;
    await setImmediate();
    this.begunMs = this.clock.elapsedMs();
  }
}
