/** One direction of a connection: first in, first out, as TCP has it. What waits in it is lost when the connection breaks. */
import type { Clock } from '../../../runtime/clock.ts';

type Work = () => void;

/** What messages get stuck behind. */
export type Obstacle = 'cut cable' | 'frozen process';

export class Pipe {
  private readonly clock: Clock;
  /** Runs what need not wait. */
  private readonly atOnce: (work: Work) => void;
  private readonly underWay: { readonly work: Work; readonly dueMs: number }[] = [];
  private stuck: Work[] = [];
  private readonly obstacles = new Set<Obstacle>();
  /** Counts breaks: what was under way then never arrives. */
  private life = 0;

  constructor(clock: Clock, atOnce: (work: Work) => void) {
    this.clock = clock;
    this.atOnce = atOnce;
  }

  /** Nothing is in the way or under way. */
  get isFree(): boolean {
    return this.obstacles.size === 0 && this.underWay.length === 0 && this.stuck.length === 0;
  }

  /** `overtakes`: need not wait for what is under way. */
  carry(work: Work, delayMs: number, overtakes = false): void {
    if (this.obstacles.size > 0) this.stuck.push(work);
    else if (delayMs === 0 && this.underWay.length === 0) this.now(work);
    else if (overtakes) this.later(delayMs, () => this.arrive(work));
    else this.enqueue(work, delayMs);
  }

  block(obstacle: Obstacle): void {
    this.obstacles.add(obstacle);
  }

  /** What was stuck arrives, in order, unless something else is in its way. */
  unblock(obstacle: Obstacle): void {
    this.obstacles.delete(obstacle);
    const { life } = this;
    for (const work of this.stuck.splice(0)) if (life === this.life) this.arrive(work);
  }

  /** The connection broke. */
  drop(): void {
    this.life += 1;
    this.underWay.length = 0;
    this.stuck = [];
  }

  private now(work: Work): void {
    const { life } = this;
    this.atOnce(() => {
      if (life === this.life) this.arrive(work);
    });
  }

  private enqueue(work: Work, delayMs: number): void {
    const nowMs = this.clock.elapsedMs();
    const dueMs = Math.max(nowMs + delayMs, this.underWay.at(-1)?.dueMs ?? 0);
    this.underWay.push({ work, dueMs });
    this.later(dueMs - nowMs, () => {
      const first = this.underWay.shift();
      if (first) this.arrive(first.work);
    });
  }

  private later(delayMs: number, work: Work): void {
    const { life } = this;
    this.clock.after(delayMs, () => {
      if (life === this.life) work();
    });
  }

  private arrive(work: Work): void {
    if (this.obstacles.size > 0) this.stuck.push(work);
    else work();
  }
}
