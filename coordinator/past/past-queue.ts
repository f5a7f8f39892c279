/** What is to be remembered, on its way to the bus: so much at once, so much waiting, in order for each subject. */
import type { PastDecision, PastExit } from '../../model/past.ts';

type Past = PastDecision | PastExit;

export interface PastQueueParts {
  readonly publish: (subject: string, past: Past) => Promise<unknown>;
  /** Told of each message that could not be stored, or for which there was no room. */
  readonly onLost: (subject: string, error: unknown) => void;
}

export interface PastQueueLimits {
  readonly inFlight: number;
  /** Of all subjects. A message that finds no room is lost. */
  readonly waiting: number;
  /** Of one subject: the oldest make room, as they do where they are going. */
  readonly waitingPerSubject: number;
}

/** Makes nobody wait: a server that is slow, or away, costs messages and no memory. */
export class PastQueue {
  private readonly parts: PastQueueParts;
  private readonly limits: PastQueueLimits;
  /** By subject, those first that have waited longest for their turn. */
  private readonly waiting = new Map<string, Past[]>();
  private readonly inFlight = new Set<string>();
  private count = 0;

  constructor(parts: PastQueueParts, limits: PastQueueLimits) {
    this.parts = parts;
    this.limits = limits;
  }

  add(subject: string, past: Past): void {
    const line = this.waiting.get(subject) ?? [];
    if (line.length >= this.limits.waitingPerSubject) {
      line.shift();
      this.lose(subject, 'newer ones of the same subject took its place while it waited');
    } else if (this.count >= this.limits.waiting) {
      this.parts.onLost(subject, new Error(`${this.count} others wait already`));
      return;
    }
    line.push(past);
    this.count += 1;
    this.waiting.set(subject, line);
    this.sendMore();
  }

  private lose(subject: string, why: string): void {
    this.count -= 1;
    this.parts.onLost(subject, new Error(why));
  }

  private sendMore(): void {
    for (const [subject, line] of this.waiting) {
      if (this.inFlight.size >= this.limits.inFlight) return;
      if (!this.inFlight.has(subject)) this.sendFirst(subject, line);
    }
  }

  private sendFirst(subject: string, line: Past[]): void {
    const past = line.shift();
    this.waiting.delete(subject);
    if (line.length > 0) this.waiting.set(subject, line);
    if (past === undefined) return;
    this.count -= 1;
    this.inFlight.add(subject);
    void this.send(subject, past);
  }

  private async send(subject: string, past: Past): Promise<void> {
    try {
      await this.parts.publish(subject, past);
    } catch (error) {
      this.parts.onLost(subject, error);
    }
    this.inFlight.delete(subject);
    this.sendMore();
  }
}
