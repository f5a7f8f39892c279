/** Readers of pages that are large: who does not take one in time is cut off, and the log says so. */
import type { Response } from 'express';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { limitSending } from '../../../runtime/sending-limit.ts';

export interface SendingParts {
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Log;
}

/** Call it when the answer begins. */
export function cutOffLateReader(response: Response, { clock, log }: SendingParts): void {
  const { originalUrl: path, ip: reader } = response.req;
  limitSending(response, clock, () => log.warn({ path, reader }, 'a reader did not take a page in time: cut off'));
}
