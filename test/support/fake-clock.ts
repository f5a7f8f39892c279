/** A clock whose time moves only when the test says so. */
import { type Clock, sleepOn } from '../../runtime/clock.ts';
import { AlarmQueue } from './alarm-queue.ts';

export class FakeClock implements Clock {
  private nowMs = 0;
  private readonly startWallMs: number;
  private readonly alarms = new AlarmQueue();

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
    return this.alarms.add({ dueMs: this.nowMs + Math.max(0, durationMs), ring: callback });
  }

  /** Lets time pass while the process does nothing: what is due meanwhile is late. */
  hang(durationMs: number): void {
    this.nowMs += durationMs;
  }

  /** Lets time pass, waking sleepers in order and letting what they start run before time goes on. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.nowMs + durationMs;
    await settleMicrotasks();
    for (let next = this.alarms.takeDue(endMs); next; next = this.alarms.takeDue(endMs)) {
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.ring();
      await settleMicrotasks();
    }
    this.nowMs = endMs;
    await settleMicrotasks();
  }
}

/** Lets everything that is ready to run, run. */
export async function settleMicrotasks(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
