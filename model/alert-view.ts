/** What `/v1/alerts` answers on the socket. */
import { z } from 'zod';
import { AlertAction } from './alert-record.ts';

/** `GET /v1/alerts`: an alert that asks something of a service, or did within the last day. */
export const AlertView = z.object({
  service: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  action: AlertAction,
  /** unheard: nobody has said for a while that it still fires. */
  state: z.enum(['firing', 'unheard', 'over']),
  startsAtMs: z.number(),
  heardAtMs: z.number(),
  /** Sentence for people: what came of it, or what it waits for. */
  words: z.string(),
});
export type AlertView = z.infer<typeof AlertView>;

/** `GET /v1/alerts/token`, `POST /v1/alerts/token/rotate`. */
export const AlertTokenAnswer = z.object({ token: z.string() });
export type AlertTokenAnswer = z.infer<typeof AlertTokenAnswer>;
