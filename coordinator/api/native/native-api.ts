/**
 * The native API. On the unix socket all of it; on TCP only what is safe to show to anyone who can reach the port:
 * metrics, service discovery and health; and Alertmanager's webhook, for who has its token.
 */
import express, { type Express, type Response } from 'express';
import type { Bus } from '../../../bus/bus.ts';
import type { HostAccess } from '../../../model/host-access.ts';
import { ClusterEvent } from '../../../model/messages.ts';
import type { DamagedRecord, JoinTokenAnswer } from '../../../model/native-api.ts';
import { type Clock, nowOn } from '../../../runtime/clock.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import type { PlannedVersions } from '../../metrics/state-page.ts';
import { NodePages } from '../../node-pages.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { UsageBook } from '../../usage/usage-book.ts';
import type { Wishes } from '../../wishes/wishes.ts';
import { requestMetrics } from '../request-metrics.ts';
import { type AlertRouteParts, addAlertRoutes, addAlertWebhook } from './alert-routes.ts';
import { type AutoscaleRouteParts, addAutoscaleRoutes } from './autoscale-routes.ts';
import { addDrainRoutes, type DrainRouteParts } from './drain-routes.ts';
import { addErrorAnswers } from './error-answers.ts';
import { addMetricsRoute } from './metrics-route.ts';
import { addNetworkRoutes } from './network-routes.ts';
import { addNodePageRoute } from './node-page-route.ts';
import { addPlanRoutes } from './plan-routes.ts';
import { addRevisionRoutes, type RevisionRouteParts } from './revision-routes.ts';
import { addSecretRoutes } from './secret-routes.ts';
import { type DiscoveryVia, discoveryTargets, discoveryVias } from './service-discovery.ts';
import { clusterStatus } from './status-view.ts';
import { addUsageRoutes } from './usage-routes.ts';
import { explainAt } from './why-at.ts';
import { explain } from './why-view.ts';

/** What of the cluster's keys the API may use; see bus/identity. */
export interface ClusterAccess {
  joinToken(): Promise<string>;
  /** Makes a new token; the old one lets nobody in any more. Nodes that joined with it stay. */
  rotateJoinToken(): Promise<string>;
}

export interface NativeApiParts {
  readonly alertBook: AlertRouteParts['alertBook'];
  readonly alertToken: AlertRouteParts['alertToken'];
  snapshot(): Snapshot;
  /** Undefined when this coordinator can serve; else the sentence why it cannot (yet). */
  notReady(): string | undefined;
  /** Stored records nobody can read. */
  damagedRecords(): readonly DamagedRecord[];
  /** Takes the node out of the cluster for good: its identity is revoked. */
  removeNode(nodeId: string, force: boolean): Promise<void>;
  readonly payloads: Wishes['payloads'];
  readonly nodes: DrainRouteParts['nodes'];
  readonly services: RevisionRouteParts['services'] & AutoscaleRouteParts['services'];
  readonly bus: Bus;
  readonly access: ClusterAccess;
  readonly usage: Pick<UsageBook, 'fresh'>;
  /** What labels may open of hosts; absent: nothing. */
  readonly allowedHostAccess?: ReadonlySet<HostAccess>;
  readonly metrics: Metrics;
  readonly plannedVersion: PlannedVersions;
  readonly identity: {
    readonly clusterId: string;
    /** The address other hosts reach this coordinator at. */
    readonly advertiseAddress: string;
    /** Where new hosts join, `host:port`: the cluster's NATS server, which may be on another host. */
    readonly joinAddress: string;
    readonly httpPort: number;
    readonly version: string;
  };
  readonly clock: Clock;
  readonly log: Log;
}

export interface NativeApi {
  /** For the unix socket: everything under /v1/, plus all of `readOnly`. */
  readonly local: Express;
  /** For TCP: /metrics, /v1/nodes/<node>/metrics, /v1/sd, /healthz, /readyz; and POST /v1/alerts. */
  readonly readOnly: Express;
}

export function createNativeApi(parts: NativeApiParts): NativeApi {
  const nodePages = new NodePages(parts);
  return { local: createLocalApp(parts, nodePages), readOnly: createReadOnlyApp(parts, nodePages) };
}

function createReadOnlyApp(parts: NativeApiParts, nodePages: NodePages): Express {
  const app = newApp(parts);
  addPublicRoutes(app, parts);
  addAlertWebhook(app, parts, () => requireReady(parts));
  addNodePageRoute(app, { ...parts, nodePages });
  addErrorAnswers(app, parts.log);
  return app;
}

function createLocalApp(parts: NativeApiParts, nodePages: NodePages): Express {
  const app = newApp(parts);
  addPublicRoutes(app, parts);
  addNodePageRoute(app, { ...parts, nodePages });
  addStatusRoutes(app, parts);
  addUsageRoutes(app, parts, () => requireReady(parts));
  addNetworkRoutes(app, parts, () => requireReady(parts));
  addRevisionRoutes(app, parts, () => requireReady(parts));
  addMembershipRoutes(app, parts);
  addSecretRoutes(app, parts, () => requireReady(parts));
  addDrainRoutes(app, parts, () => requireReady(parts));
  addPlanRoutes(app, parts, () => requireReady(parts));
  addAutoscaleRoutes(app, parts, () => requireReady(parts));
  addAlertWebhook(app, parts, () => requireReady(parts));
  addAlertRoutes(app, parts, () => requireReady(parts));
  app.get('/v1/events', (_request, response) => streamEvents(parts, response));
  addErrorAnswers(app, parts.log);
  return app;
}

function newApp({ metrics, clock }: NativeApiParts): Express {
  const app = express();
  app.use(requestMetrics('native', metrics, clock));
  app.disable('x-powered-by');
  app.disable('etag');
  return app;
}

function addPublicRoutes(app: Express, parts: NativeApiParts): void {
  app.get('/healthz', (_request, response) => {
    response.type('text/plain').send('ok\n');
  });
  app.get('/readyz', (_request, response) => {
    const reason = parts.notReady();
    response
      .status(reason === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${reason ?? 'ok'}\n`);
  });
  addMetricsRoute(app, parts);
  app.get('/v1/sd', (request, response) => {
    const via = discoveryVia(request.query.via);
    requireReady(parts);
    response.json(discoveryTargets(parts.snapshot(), parts.identity, via));
  });
}

function addStatusRoutes(app: Express, parts: NativeApiParts): void {
  const status = (stateCurrent: boolean) =>
    clusterStatus(parts.snapshot(), {
      ...parts.identity,
      busConnected: parts.bus.connected,
      stateCurrent,
      damagedRecords: parts.damagedRecords(),
      usage: parts.usage.fresh(),
    });
  app.get('/v1/status', (_request, response) => {
    response.json(status(parts.notReady() === undefined));
  });
  app.get('/v1/nodes', (_request, response) => {
    requireReady(parts);
    response.json(status(true).nodes);
  });
  app.get('/v1/why/:term', async (request, response) => {
    requireReady(parts);
    const { bus, clock } = parts;
    const snapshot = parts.snapshot();
    const now = nowOn(clock);
    const { term } = request.params;
    const atMs = timeOf(request.query.at);
    if (atMs === undefined) return void response.json(explain(snapshot, term, now));
    response.json(await explainAt(term, { snapshot, bus, atMs, nowMs: now.wallMs }));
  });
}

function addMembershipRoutes(app: Express, parts: NativeApiParts): void {
  const answer = (token: string): JoinTokenAnswer => ({ token, address: parts.identity.joinAddress });
  app.get('/v1/token', async (_request, response) => {
    response.json(answer(await parts.access.joinToken()));
  });
  app.post('/v1/token/rotate', async (_request, response) => {
    response.json(answer(await parts.access.rotateJoinToken()));
  });
  app.delete('/v1/nodes/:id', async (request, response) => {
    await parts.removeNode(request.params.id, request.query.force === 'true');
    response.status(204).end();
  });
}

/** One JSON object a line, until the client goes. */
function streamEvents(parts: NativeApiParts, response: Response): void {
  response.status(200).set('Content-Type', 'application/x-ndjson').flushHeaders();
  const subscription = parts.bus.subscribe('plim.event.>', ClusterEvent, (event) => {
    // A client that does not read must not fill our memory.
    if (response.writableLength > 1_000_000) response.destroy();
    else response.write(`${JSON.stringify(event)}\n`);
  });
  response.on('close', () => subscription.stop());
}

/** A time the asker names, in milliseconds; undefined when it names none. */
function timeOf(wanted: unknown): number | undefined {
  if (wanted === undefined) return undefined;
  const atMs = typeof wanted === 'string' ? Date.parse(wanted) : Number.NaN;
  if (!Number.isNaN(atMs)) return atMs;
  throw new PlimsollError('invalid', `at: must be an RFC 3339 time, not ${JSON.stringify(wanted)}`);
}

function discoveryVia(wanted: unknown): DiscoveryVia {
  const via = discoveryVias.find((each) => each === (wanted ?? 'agents'));
  if (via) return via;
  throw new PlimsollError('invalid', `via: must be ${discoveryVias.join(' or ')}, not ${JSON.stringify(wanted)}`);
}

function requireReady(parts: NativeApiParts): void {
  const reason = parts.notReady();
  if (reason !== undefined) throw new PlimsollError('unavailable', `Cannot tell the cluster's state: ${reason}`);
}
