/** `/v1/alerts`: Alertmanager's webhook, for who has the token; on the socket also which alerts are known, and the token. */
import type { Express, Request, Response } from 'express';
import type { AlertTokenAnswer, AlertView } from '../../../model/alert-view.ts';
import type { ErrorCode } from '../../../model/error-body.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import type { AlertBook } from '../../alerts/alert-book.ts';
import { alertMetrics } from '../../alerts/alert-metrics.ts';
import { type AlertReport, reportsOfWebhook } from '../../alerts/alert-report.ts';
import type { AlertToken } from '../../alerts/alert-token.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { readUtf8Json } from '../docker/request-body.ts';
import { ApiError } from '../docker/responses.ts';
import { alertViews } from './alert-view.ts';

/** Messages read at a time; each may take megabytes until it is known to be none. */
const MESSAGES_AT_A_TIME = 4;

/** Addresses that are remembered; of more nothing is logged, they are counted all the same. */
const MOST_STRANGERS = 1_000;

export interface AlertRouteParts {
  snapshot(): Snapshot;
  readonly alertBook: Pick<AlertBook, 'take'>;
  readonly alertToken: Pick<AlertToken, 'isShownIn' | 'current' | 'rotate'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
}

/** The webhook. `requireReady` throws while this coordinator cannot serve: Alertmanager sends again what got a 5xx. */
export function addAlertWebhook(app: Express, parts: AlertRouteParts, requireReady: () => void): void {
  const metrics = alertMetrics(parts.metrics);
  const strangers = new Strangers(parts.log);
  let reading = 0;
  app.post('/v1/alerts', async (request, response) => {
    if (!parts.alertToken.isShownIn(request.headers.authorization)) {
      metrics.refused.inc({ reason: 'token' });
      strangers.note(request.socket.remoteAddress ?? 'the socket');
      return refuse(response);
    }
    if (reading >= MESSAGES_AT_A_TIME) {
      metrics.refused.inc({ reason: 'busy' });
      throw new PlimsollError('unavailable', `${reading} messages of alerts are being read: send it again`);
    }
    reading += 1;
    try {
      requireReady();
      const { counts, ignored } = await parts.alertBook.take(await reportsIn(request));
      for (const [outcome, count] of Object.entries(counts)) {
        if (outcome !== 'total') metrics.received.inc({ outcome }, count);
      }
      response.json({ ...counts, ignored });
    } catch (error) {
      metrics.refused.inc({ reason: isSenders(error) ? 'message' : 'failure' });
      throw error;
    } finally {
      reading -= 1;
    }
  });
}

/** Who came without the token: each is told of once, so that a wrong token is found and nobody can fill the log. */
class Strangers {
  private readonly addresses = new Set<string>();
  private readonly log: AlertRouteParts['log'];

  constructor(log: AlertRouteParts['log']) {
    this.log = log;
  }

  note(address: string): void {
    if (this.addresses.size >= MOST_STRANGERS || this.addresses.has(address)) return;
    this.addresses.add(address);
    this.log.warn({ address }, 'a message of alerts without the token was refused: see plim alerts token');
  }
}

/** What only who may open the socket may see. */
export function addAlertRoutes(app: Express, parts: AlertRouteParts, requireReady: () => void): void {
  app.get('/v1/alerts', (_request, response) => {
    requireReady();
    const answer: AlertView[] = alertViews(parts.snapshot(), parts.clock.wallMs());
    response.json(answer);
  });
  const tokenAnswer = (token: string): AlertTokenAnswer => ({ token });
  app.get('/v1/alerts/token', (_request, response) => {
    requireReady();
    response.json(tokenAnswer(parts.alertToken.current()));
  });
  app.post('/v1/alerts/token/rotate', async (_request, response) => {
    requireReady();
    response.json(tokenAnswer(await parts.alertToken.rotate()));
  });
}

async function reportsIn(request: Request): Promise<AlertReport[]> {
  return reportsOfWebhook(await readUtf8Json(request));
}

/** Nothing of the body was read: the connection ends with the answer. */
function refuse(response: Response): void {
  const code: ErrorCode = 'refused';
  const message = 'Authorization: must be "Bearer <token>", the token is what "plim alerts token" prints';
  response.status(401).set({ 'WWW-Authenticate': 'Bearer', Connection: 'close' }).json({ code, message });
}

function isSenders(error: unknown): boolean {
  if (error instanceof ApiError) return error.status < 500;
  return error instanceof PlimsollError && error.code === 'invalid';
}
