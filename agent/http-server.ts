/** The agent's own port: /metrics for Prometheus, /healthz for whoever asks whether it lives. Read-only. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { limitSending } from '../runtime/sending-limit.ts';
import type { MetricsPage } from './metrics/page-writer.ts';
import { Turns } from './metrics/turns.ts';

export interface AgentHttp {
  readonly port: number;
  stop(): Promise<void>;
}

export interface HttpParts {
  readonly metricsPage: () => Promise<MetricsPage>;
  readonly healthy: () => { readonly healthy: boolean; readonly why: string };
  readonly log: Log;
}

type SendingClock = Pick<Clock, 'elapsedMs' | 'after'>;

/** Listens on every address of the host. Throws `conflict` when the port is taken. */
export async function serveHttp(port: number, parts: HttpParts, clock: SendingClock = systemClock): Promise<AgentHttp> {
  const server = createServer((request, response) => {
    answer(request, response, parts, clock).catch((error) => {
      parts.log.error({ error: messageOf(error), path: request.url }, 'could not answer a request');
      send(response, 500, 'text/plain', 'internal error\n');
    });
  });
  server.listen(port);
  await once(server, 'listening').catch((error) => {
    throw new PlimsollError('conflict', `Cannot listen on port ${port}: ${messageOf(error)}; use --port`, {
      cause: error,
    });
  });
  const { port: listening } = server.address() as AddressInfo;
  return { port: listening, stop: () => closeServer(server) };
}

async function answer(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  parts: HttpParts,
  clock: SendingClock,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'text/plain', 'only GET is answered here\n');
  switch (url.split('?')[0]) {
    case '/metrics':
      return sendPage(response, await parts.metricsPage(), { log: parts.log, clock });
    case '/healthz': {
      const { healthy, why } = parts.healthy();
      return send(response, healthy ? 200 : 503, 'text/plain', `${why}\n`);
    }
    default:
      return send(response, 404, 'text/plain', 'there is /metrics and /healthz\n');
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (!response.headersSent) response.writeHead(status, { 'Content-Type': type });
  response.end(body);
}

/** The page of a host with many containers has megabytes: written at once it would hold up everything else. */
async function sendPage(
  response: ServerResponse,
  { pieces, release }: MetricsPage,
  { log, clock }: { readonly log: Log; readonly clock: SendingClock },
): Promise<void> {
  const reader = response.socket?.remoteAddress;
  limitSending(response, clock, () => log.warn({ reader }, 'a reader did not take the metrics page in time: cut off'));
  response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' });
  // A client that goes away in the middle of the page wants no answer any more.
  await pipeline(Readable.from(inTurns(pieces, clock)), response).catch(() => undefined);
  release();
}

/** A reader on this host takes everything at once: without pauses megabytes would be sent in one go. */
async function* inTurns(pieces: readonly Uint8Array[], clock: SendingClock): AsyncGenerator<Uint8Array> {
  const turns = new Turns(clock);
  for (const piece of pieces) {
    yield piece;
    await turns.yieldIfLong();
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
