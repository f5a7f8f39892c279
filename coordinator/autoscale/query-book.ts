/** What was answered last to each question services scale by (PromQL, queues); asked beside the loop, so that a slow one delays nobody. */
import type { Clock } from '../../runtime/clock.ts';
import type { QueryAnswer } from './measurement.ts';

const ASK_EVERY_MS = 5_000;
/** An older answer says nothing of now. */
const STALE_MS = 30_000;
const QUERIES_IN_FLIGHT = 8;

export interface QueryBookParts {
  /** Never rejects; undefined where there is nobody to ask. */
  readonly ask: ((question: string) => Promise<QueryAnswer>) | undefined;
  /** What is said then. */
  readonly absence: string;
  readonly clock: Clock;
  readonly onAnswer?: (outcome: 'value' | 'problem') => void;
}

interface Asked {
  askedAtMs: number;
  isAsking: boolean;
  answer: QueryAnswer;
  answeredAtMs: number;
}

export class QueryBook {
  private readonly parts: QueryBookParts;
  private readonly asked = new Map<string, Asked>();

  constructor(parts: QueryBookParts) {
    this.parts = parts;
  }

  /** What is known of an expression now. */
  answer(expression: string): QueryAnswer {
    if (this.parts.ask === undefined) return { problem: this.parts.absence };
    const known = this.asked.get(expression);
    if (known === undefined) return { problem: 'it has not been asked yet' };
    const ageMs = this.parts.clock.elapsedMs() - known.answeredAtMs;
    return ageMs <= STALE_MS ? known.answer : { problem: `the last answer is more than ${STALE_MS / 1_000} s old` };
  }

  /** Asks those whose turn it is; forgets those nobody scales by any more. */
  refresh(expressions: ReadonlySet<string>): void {
    for (const expression of this.asked.keys()) if (!expressions.has(expression)) this.asked.delete(expression);
    const nowMs = this.parts.clock.elapsedMs();
    const isDue = (expression: string) => {
      const known = this.asked.get(expression);
      return known === undefined || (!known.isAsking && nowMs - known.askedAtMs >= ASK_EVERY_MS);
    };
    const inFlight = [...this.asked.values()].filter(({ isAsking }) => isAsking).length;
    const due = [...expressions].filter(isDue).sort((a, b) => this.askedAtMs(a) - this.askedAtMs(b));
    for (const expression of due.slice(0, Math.max(0, QUERIES_IN_FLIGHT - inFlight))) void this.ask(expression, nowMs);
  }

  private askedAtMs(expression: string): number {
    return this.asked.get(expression)?.askedAtMs ?? Number.NEGATIVE_INFINITY;
  }

  private async ask(expression: string, nowMs: number): Promise<void> {
    const { ask, clock, onAnswer } = this.parts;
    if (ask === undefined) return;
    const entry = this.asked.get(expression) ?? {
      askedAtMs: nowMs,
      isAsking: true,
      answer: { problem: 'there is no answer yet' },
      answeredAtMs: nowMs,
    };
    Object.assign(entry, { askedAtMs: nowMs, isAsking: true });
    this.asked.set(expression, entry);
    entry.answer = await ask(expression);
    entry.answeredAtMs = clock.elapsedMs();
    entry.isAsking = false;
    onAnswer?.('value' in entry.answer ? 'value' : 'problem');
  }
}
