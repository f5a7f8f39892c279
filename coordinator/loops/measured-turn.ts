/** Counts and times the turns of a control loop, and says when the last one came to its end. */
import type { Clock } from '../../runtime/clock.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';

interface TurnParts {
  readonly clock: Clock;
  readonly metrics: Pick<CoordinatorMetrics, 'loopRuns' | 'loopSeconds' | 'loopErrors' | 'loopLastSuccess'>;
}

/** As `measuredTurn`, of a turn that waits for nothing. */
export function measuredAtOnce({ clock, metrics }: TurnParts, loop: string, turn: () => void): void {
  const startedMs = clock.elapsedMs();
  metrics.loopRuns.inc({ loop });
  try {
    turn();
    metrics.loopLastSuccess.set({ loop }, clock.wallMs() / 1000);
  } catch (error) {
    metrics.loopErrors.inc({ loop });
    throw error;
  } finally {
    metrics.loopSeconds.observe({ loop }, (clock.elapsedMs() - startedMs) / 1000);
  }
}

/** Does one turn; what it throws is counted and thrown on. */
export async function measuredTurn(
  { clock, metrics }: TurnParts,
  loop: string,
  turn: () => Promise<void> | void,
): Promise<void> {
  const startedMs = clock.elapsedMs();
  metrics.loopRuns.inc({ loop });
  try {
    await turn();
    metrics.loopLastSuccess.set({ loop }, clock.wallMs() / 1000);
  } catch (error) {
    metrics.loopErrors.inc({ loop });
    throw error;
  } finally {
    metrics.loopSeconds.observe({ loop }, (clock.elapsedMs() - startedMs) / 1000);
  }
}
