/** Counts and times the turns of a control loop, and says when the last one came to its end. */
import type { Clock } from '../../runtime/clock.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';

interface TurnParts {
  readonly clock: Clock;
  readonly metrics: Pick<CoordinatorMetrics, 'loopRuns' | 'loopSeconds' | 'loopErrors' | 'loopLastSuccess'>;
}

/** Does one turn of a loop, begun and ended at once or later; what it throws is counted and thrown on. */
export async function measuredTurn(parts: TurnParts, loop: string, turn: () => Promise<void> | void): Promise<void> {
  const end = beginTurn(parts, loop);
  try {
    await turn();
    end(true);
  } catch (error) {
    end(false);
    throw error;
  }
}

/** As `measuredTurn`, of a turn that waits for nothing. */
export function measuredAtOnce(parts: TurnParts, loop: string, turn: () => void): void {
  const end = beginTurn(parts, loop);
  try {
    turn();
    end(true);
  } catch (error) {
    end(false);
    throw error;
  }
}

function beginTurn({ clock, metrics }: TurnParts, loop: string): (succeeded: boolean) => void {
  const startedMs = clock.elapsedMs();
  metrics.loopRuns.inc({ loop });
  return (succeeded) => {
    if (succeeded) metrics.loopLastSuccess.set({ loop }, clock.wallMs() / 1000);
    else metrics.loopErrors.inc({ loop });
    metrics.loopSeconds.observe({ loop }, (clock.elapsedMs() - startedMs) / 1000);
  };
}
