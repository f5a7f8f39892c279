/** `/events`: one JSON object a line, from `since` (as far as this coordinator remembers) to `until` or for ever. */
import { type Request, type Response, Router } from 'express';
import type { ClusterEvent } from '../../../model/messages.ts';
import { aborted } from '../../../runtime/aborted.ts';
import type { DockerApiParts } from './api-parts.ts';
import { clientSignal } from './client-signal.ts';
import type { EventFeed } from './event-feed.ts';
import { eventFilterKeys, eventView, isEventWanted } from './event-view.ts';
import { parseFilters } from './filters.ts';
import { queryText, queryTimeSeconds } from './query.ts';

/** A client that does not read must not fill our memory. */
export const MAX_UNREAD_BYTES = 1024 * 1024;

export function eventRoutes(parts: DockerApiParts, feed: EventFeed, closing: AbortSignal): Router {
  const router = Router();
  router.get('/events', async (req, res) => {
    const filters = parseFilters(queryText(req, 'filters'), eventFilterKeys);
    const [sinceMs, untilMs] = [queryMs(req, 'since'), queryMs(req, 'until')];
    const write = (event: ClusterEvent) => {
      if (!isEventWanted(event, filters) || event.atMs > (untilMs ?? Number.POSITIVE_INFINITY)) return;
      if (res.writableLength > MAX_UNREAD_BYTES) res.destroy();
      else res.write(`${JSON.stringify(eventView(event))}\n`);
    };
    res.setHeader('Content-Type', 'application/json');
    res.flushHeaders();
    const stop = feed.listen(write);
    if (sinceMs !== undefined) feed.since(sinceMs).forEach(write);
    await endOf(res, parts, untilMs, closing);
    stop();
    res.end();
  });
  return router;
}

function queryMs(req: Request, name: string): number | undefined {
  const seconds = queryTimeSeconds(req, name);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Resolves when the client left, the coordinator stops, or `until` is reached. */
async function endOf(
  res: Response,
  parts: DockerApiParts,
  untilMs: number | undefined,
  closing: AbortSignal,
): Promise<void> {
  const signal = clientSignal(res, closing);
  if (untilMs === undefined) {
    await aborted(signal);
  } else {
    const leftMs = Math.max(0, untilMs - parts.clock.wallMs());
    await parts.clock.sleep(leftMs, signal).catch(() => undefined);
  }
}
