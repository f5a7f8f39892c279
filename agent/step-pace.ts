/** How soon a step may be done again that was done before and changed nothing. */
import { type BackoffRule, backoffMs } from '../runtime/backoff.ts';
import type { EngineStep } from './step-executor.ts';

/** An engine that says a container was started, and shows one that was not, would be asked for ever without a pause. */
const PACE: BackoffRule = { firstMs: 500, maxMs: 30_000 };

/** The steps done for one task's present attempt. */
export class StepPace {
  private attempt = 0;
  private readonly done = new Map<string, { readonly times: number; readonly lastAtMs: number }>();

  /** The engine has done this step, or so it says. */
  note(step: EngineStep, attempt: number, elapsedMs: number): void {
    if (attempt !== this.attempt) this.done.clear();
    this.attempt = attempt;
    const key = keyOf(step);
    this.done.set(key, { times: (this.done.get(key)?.times ?? 0) + 1, lastAtMs: elapsedMs });
  }

  /** When this step may be done, on the elapsed clock: at once the first two times, then later and later. */
  notBeforeMs(step: EngineStep, attempt: number): number {
    if (attempt !== this.attempt) return 0;
    const { times, lastAtMs } = this.done.get(keyOf(step)) ?? { times: 0, lastAtMs: 0 };
    return lastAtMs + backoffMs(PACE, times - 1);
  }
}

function keyOf(step: EngineStep): string {
  return 'containerId' in step ? `${step.kind} ${step.containerId}` : step.kind;
}
