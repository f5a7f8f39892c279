/** `/metrics`, sent piece by piece as it is written: a big cluster's page never lies in memory as a whole. */
import { once } from 'node:events';
import type { Express, Response } from 'express';
import { type MetricsPageParts, metricsPage } from '../../metrics/metrics-page.ts';
import { cutOffLateReader, type SendingParts } from './late-reader.ts';

export function addMetricsRoute(app: Express, parts: MetricsPageParts & SendingParts): void {
  app.get('/metrics', async (_request, response) => {
    cutOffLateReader(response, parts);
    response.set('Content-Type', parts.metrics.contentType);
    for await (const piece of metricsPage(parts)) {
      if (response.destroyed) return;
      if (!response.write(piece)) await drained(response);
    }
    response.end();
  });
}

/** Resolves when more may be written, or the reader is gone. */
async function drained(response: Response): Promise<void> {
  if (response.destroyed) return;
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => undefined);
  waiting.abort();
}
