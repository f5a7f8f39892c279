/** `/containers/x/stats`: what the engine of the container's node says of its usage, passed on as it comes. */
import { once } from 'node:events';
import { type Request, type Response, Router } from 'express';
import type { StatsRequest } from '../../../model/messages.ts';
import { withDeadline } from '../../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../../runtime/errors.ts';
import { leaveLostNode, refuseLostNode } from '../../sessions/node-watch.ts';
import type { DockerApiParts } from './api-parts.ts';
import { clientSignal } from './client-signal.ts';
import { inspectAnywhere, nodeOfContainer } from './container-lookup.ts';
import { pathPart, queryFlag, queryText } from './query.ts';
import { ApiError } from './responses.ts';

/** An engine measures for up to two seconds before its first word. */
const FIRST_WORD_MS = 8_000;

/** `closing` ends open streams when the coordinator stops. */
export function containerStatsRoutes(parts: DockerApiParts, closing: AbortSignal): Router {
  const router = Router();
  router.get('/containers/:container/stats', async (req, res) => {
    const options = statsOptions(req);
    const source = await findSource(parts, pathPart(req, 'container'));
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    const client = clientSignal(res, closing);
    if (client.aborted) leave();
    client.addEventListener('abort', leave, { once: true });
    const watch = leaveLostNode(parts, source.nodeId, leaving);
    try {
      const chunks = parts.bus.askNodeStream(source.nodeId, 'stats', { ...options, id: source.id }, leaving.signal);
      await passOn(parts, chunks, res, leaving.signal);
    } finally {
      leave();
      await watch;
    }
  });
  return router;
}

/** Streamed unless told otherwise, as an engine does. */
function statsOptions(req: Request): Omit<StatsRequest, 'id'> {
  const stream = queryText(req, 'stream') === undefined || queryFlag(req, 'stream');
  const oneShot = queryFlag(req, 'one-shot');
  if (stream && oneShot) throw new ApiError(400, 'cannot have stream=true and one-shot=true');
  return { stream, oneShot };
}

interface StatsSource {
  readonly nodeId: string;
  /** What the node knows the container by. */
  readonly id: string;
}

async function findSource(parts: DockerApiParts, reference: string): Promise<StatsSource> {
  const nodeId = nodeOfContainer(parts.snapshot(), reference) ?? (await inspectAnywhere(parts, reference)).nodeId;
  refuseLostNode(parts, nodeId, `measure container ${reference}`);
  return { nodeId, id: reference };
}

/**
 * The status is only sent with the first chunk: until then an error of the node can still be the client's. Later ones
 * end the answer as if the container had: clients take anything else for a fault of the connection.
 */
async function passOn(
  { clock, log }: DockerApiParts,
  chunks: AsyncIterable<Uint8Array>,
  res: Response,
  signal: AbortSignal,
): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  const late = () => new PlimsollError('timeout', `the node of the container sent nothing for ${FIRST_WORD_MS} ms`);
  let next = await withDeadline(clock, FIRST_WORD_MS, iterator.next(), late);
  res.setHeader('Content-Type', 'application/json');
  try {
    for (; !next.done && !signal.aborted; next = await iterator.next()) {
      if (!res.write(next.value)) await once(res, 'drain', { signal }).catch(() => undefined);
    }
  } catch (error) {
    log.info({ error: messageOf(error) }, 'a stream of usage figures broke off');
  }
  res.end();
}
