/** Waiting for a part to become well, with the reason when it does not. */
import type { Clock } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';

const POLL_MS = 100;

export interface Expectation {
  /** "the coordinator" */
  readonly what: string;
  /** Undefined when it is well; else why not. Throwing counts as a reason. */
  readonly problem: () => Promise<string | undefined>;
  readonly timeoutMs: number;
  /** Where to look when it does not come: a log file or a command. */
  readonly logHint: string;
}

/** Throws `timeout` with the last reason. */
export async function waitUntil(clock: Clock, expected: Expectation): Promise<void> {
  const deadlineMs = clock.elapsedMs() + expected.timeoutMs;
  for (;;) {
    const reason = await expected.problem().catch(messageOf);
    if (reason === undefined) return;
    if (clock.elapsedMs() > deadlineMs) {
      const waitedS = Math.round(expected.timeoutMs / 1000);
      throw new PlimsollError(
        'timeout',
        `Gave up on ${expected.what} after ${waitedS} s: ${reason}. See ${expected.logHint}`,
      );
    }
    await clock.sleep(POLL_MS);
  }
}
