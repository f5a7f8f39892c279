/** For what has to work in the end, however long others are away. */
import { type BackoffRule, backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';

export interface KeepTrying {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly retry: BackoffRule;
  /** Told of every failure. */
  readonly onError: (error: unknown) => void;
}

/** The first result of `work` that is not an error; undefined when the signal aborts before. */
export async function keepTrying<T>(
  work: () => Promise<T>,
  { clock, retry, onError }: KeepTrying,
  signal: AbortSignal,
): Promise<T | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await work();
    } catch (error) {
      onError(error);
      await clock.sleep(backoffMs(retry, failures), signal).catch(() => undefined);
    }
  }
  return undefined;
}
