/** How many steps of each kind a node does at once. */
import { KeyedQueue } from '../runtime/keyed-queue.ts';
import type { EngineStep } from './step-executor.ts';

const STOPS_AT_ONCE = 32;
const PULLS_AT_ONCE = 64;
const REMOVALS_AT_ONCE = 2;

export class StepLanes {
  private readonly lanes: Readonly<Record<EngineStep['kind'], KeyedQueue>>;
  /** Steps ever queued: their keys, as a task may queue its next step while its last one leaves. */
  private queued = 0;

  constructor(startsAtOnce: number) {
    const starts = new KeyedQueue(startsAtOnce);
    this.lanes = {
      pull: new KeyedQueue(PULLS_AT_ONCE),
      create: starts,
      start: starts,
      stop: new KeyedQueue(STOPS_AT_ONCE),
      remove: new KeyedQueue(REMOVALS_AT_ONCE),
    };
  }

  /** Does a step, which must handle its own errors, as soon as there is room for one of its kind. */
  queue(kind: EngineStep['kind'], step: () => Promise<void>): void {
    this.queued += 1;
    this.lanes[kind].offer(String(this.queued), step);
  }

  /** Resolves when no step is in work or waits. */
  async idle(): Promise<void> {
    await Promise.all(Object.values(this.lanes).map((lane) => lane.idle()));
  }
}
