/** A clock whose time moves only when the test says so. */
import { type Clock, sleepOn } from '../../runtime/clock.ts';

interface Alarm {
  readonly dueMs: number;
  readonly ring: () => void;
}

export class FakeClock implements Clock {
  private nowMs = 0;
  private readonly startWallMs: number;
  private readonly alarms = new Set<Alarm>();

  constructor(startWallMs = Date.UTC(2026, 0, 1)) {
    this.startWallMs = startWallMs;
  }

  wallMs(): number {
    return this.startWallMs + this.nowMs;
  }

  elapsedMs(): number {
    return this.nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, durationMs, signal);
  }

  after(durationMs: number, callback: () => void): () => void {
    const alarm = { dueMs: this.nowMs + Math.max(0, durationMs), ring: callback };
    this.alarms.add(alarm);
    return () => this.alarms.delete(alarm);
  }

  /** Lets time pass, waking sleepers in order and letting what they start run before time goes on. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.nowMs + durationMs;
    await settleMicrotasks();
    for (let next = this.nextDue(endMs); next; next = this.nextDue(endMs)) {
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      this.alarms.delete(next);
      next.ring();
      await settleMicrotasks();
    }
    this.nowMs = endMs;
    await settleMicrotasks();
  }

  private nextDue(endMs: number): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.alarms) {
      if (alarm.dueMs <= endMs && (first === undefined || alarm.dueMs < first.dueMs)) first = alarm;
    }
    return first;
  }
}

/** Lets everything that is ready to run, run. */
export async function settleMicrotasks(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
