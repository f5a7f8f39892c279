/** An answer that nobody takes is not kept for ever: what it is made of stays in memory until it has been sent. */
import type { ServerResponse } from 'node:http';
import type { Clock } from './clock.ts';

/** Longer than any scrape may take: Prometheus allows no more than its interval, which is a minute by default. */
const SENDING_LIMIT_MS = 60_000;

/** Cuts off a reader who has not taken the whole answer a minute from now. Call it when the answer begins. */
export function limitSending(response: ServerResponse, clock: Pick<Clock, 'after'>, onCutOff: () => void): void {
  // Who left while the answer was made has closed it already: nobody would ever stop the clock.
  if (response.closed || response.destroyed) return;
  const forget = clock.after(SENDING_LIMIT_MS, () => {
    onCutOff();
    response.destroy();
  });
  response.once('close', forget);
}
