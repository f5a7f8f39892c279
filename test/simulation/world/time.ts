/** The one time of a simulated world. Processes look at it through clocks of their own, see process.ts. */
import { AlarmQueue } from '../../support/alarm-queue.ts';

export class SimulatedTime {
  nowMs = 0;
  private readonly alarms = new AlarmQueue();

  /** Calls back `delayMs` (rounded up to whole milliseconds) from now, unless the function it answers is called before. */
  after(delayMs: number, ring: () => void): () => void {
    return this.alarms.add({ dueMs: this.nowMs + Math.ceil(Math.max(0, delayMs)), ring });
  }

  /** Lets time pass until then. What is due at one moment is rung one by one, each running to its end first. */
  runUntil(endMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = () => {
        const alarm = this.alarms.takeDue(endMs);
        this.nowMs = alarm ? Math.max(this.nowMs, alarm.dueMs) : endMs;
        if (!alarm) return resolve();
        try {
          alarm.ring();
        } catch (error) {
          return reject(error);
        }
        whenSettled(next);
      };
      whenSettled(next);
    });
  }
}

/** Does it, as promises do theirs, when none is left to go on: Node runs the next tick only after all of them. */
function whenSettled(work: () => void): void {
  process.nextTick(() => void nothing.then(work));
}

const nothing = Promise.resolve();
