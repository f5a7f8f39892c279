/** The Docker Engine API of a cluster: what the docker CLI and every Docker SDK speak to. */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import express from 'express';
import { requestMetrics } from '../request-metrics.ts';
import type { DockerApiParts } from './api-parts.ts';
import { negotiateVersion } from './api-version.ts';
import { containerActionRoutes } from './container-actions.ts';
import { containerRoutes } from './container-routes.ts';
import { containerStatsRoutes } from './container-stats.ts';
import { EventFeed } from './event-feed.ts';
import { eventRoutes } from './event-routes.ts';
import { execRoutes } from './exec-routes.ts';
import { upgradable } from './hijack.ts';
import { imageRoutes } from './image-routes.ts';
import { logRoutes } from './log-routes.ts';
import { networkRoutes } from './network-routes.ts';
import { nodeRoutes } from './node-routes.ts';
import { payloadRoutes } from './payload-routes.ts';
import { ApiError, answerErrors } from './responses.ts';
import { serviceRoutes } from './service-routes.ts';
import { swarmRoutes } from './swarm-routes.ts';
import { systemRoutes } from './system-routes.ts';
import { taskRoutes } from './task-routes.ts';
import { unservedRoutes } from './unserved-routes.ts';
import { volumeRoutes } from './volume-routes.ts';

export interface DockerApi {
  readonly handler: RequestListener;
  /** For the server's `upgrade` event: exec and attach, which hijack their connection. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends every open stream (logs, events, sessions with containers). */
  close(): void;
}

export function createDockerApi(parts: DockerApiParts): DockerApi {
  const app = express();
  const closing = new AbortController();
  // Every open stream listens.
  setMaxListeners(0, closing.signal);
  const events = new EventFeed(parts.bus);
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requestMetrics('docker', parts.metrics, parts.clock));
  app.use(negotiateVersion(parts.version));
  app.use(systemRoutes(parts), swarmRoutes(parts), nodeRoutes(parts), serviceRoutes(parts), taskRoutes(parts));
  app.use(logRoutes(parts, closing.signal), eventRoutes(parts, events, closing.signal), containerRoutes(parts));
  app.use(networkRoutes(parts));
  app.use(containerStatsRoutes(parts, closing.signal), containerActionRoutes(parts, closing.signal));
  app.use(execRoutes(parts, closing.signal), imageRoutes(parts, closing.signal));
  app.use(payloadRoutes(parts, 'secret'), payloadRoutes(parts, 'config'), volumeRoutes(parts));
  app.use(unservedRoutes());
  app.use(() => {
    throw new ApiError(404, 'page not found');
  });
  app.use(answerErrors(parts.log));
  const close = () => {
    closing.abort();
    events.close();
  };
  return { handler: app, upgrade: upgradable(app), close };
}
