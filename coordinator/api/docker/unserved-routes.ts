/**
 * What the Engine API has and a cluster does not (yet): kinds without objects list nothing, look-ups find nothing (a
 * client's search goes on at 404), actions are refused by name with 501 (a 404 would make `docker run` pull an image).
 */
import { type RequestHandler, Router } from 'express';
import { parseFilters, passes } from './filters.ts';
import { pathPart, queryText } from './query.ts';
import { ApiError, sendJson } from './responses.ts';

/** Method, path and what it would do, as the sentence goes on. */
const refusedActions: readonly (readonly ['get' | 'post' | 'put' | 'head' | 'delete', string, string])[] = [
  ['post', '/secrets/create', 'secrets'],
  ['post', '/configs/create', 'configs'],
  ['post', '/networks/create', 'networks'],
  ['post', '/networks/prune', 'pruning networks'],
  ['post', '/volumes/create', 'volumes of the cluster'],
  ['post', '/volumes/prune', 'pruning volumes'],
  ['post', '/containers/create', 'single containers: create a service'],
  ['post', '/containers/prune', 'pruning containers'],
  ['post', '/containers/:container/:action', 'acting on single containers'],
  ['delete', '/containers/:container', 'removing single containers'],
  ['get', '/containers/:container/:part', 'looking into single containers'],
  ['put', '/containers/:container/archive', 'copying into containers'],
  ['head', '/containers/:container/archive', 'copying from containers'],
  ['get', '/containers/:container/attach/ws', 'attaching to containers'],
  ['delete', '/containers/:container/checkpoints/:checkpoint', 'checkpoints'],
  ['post', '/networks/:network/:action', 'connecting containers to networks'],
  ['put', '/volumes/:volume', 'volumes of the cluster'],
  ['post', '/exec/:exec/:action', 'exec'],
  ['get', '/exec/:exec/json', 'exec'],
  ['post', '/images/create', 'pulling images: nodes pull what their tasks need'],
  ['post', '/images/:rest/*path', 'acting on images'],
  ['post', '/images/prune', 'pruning images'],
  ['get', '/system/df', 'disk usage of the cluster'],
  ['delete', '/images/*image', 'removing images'],
  ['get', '/images/search', 'searching images'],
  ['get', '/images/get', 'exporting images'],
  ['get', '/images/*path', 'looking into images'],
  ['post', '/images/load', 'importing images'],
  ['post', '/build', 'building images'],
  ['post', '/build/prune', 'pruning build caches'],
  ['post', '/commit', 'committing containers'],
  ['post', '/auth', 'logging in to registries'],
  ['post', '/session', 'build sessions'],
  ['post', '/plugins/*path', 'plugins'],
  ['get', '/plugins/privileges', 'plugins'],
  ['delete', '/plugins/*plugin', 'plugins'],
];

export function unservedRoutes(): Router {
  const router = Router();
  emptyKinds(router);
  networks(router);
  for (const [method, path, what] of refusedActions) router[method](path, refuse(what));
  router.get('/distribution/*image', () => {
    throw new ApiError(403, 'Plimsoll does not look images up in registries yet: nodes pull them by tag');
  });
  return router;
}

function refuse(what: string): RequestHandler {
  return () => {
    throw new ApiError(501, `Plimsoll does not support ${what} (not supported)`);
  };
}

function emptyKinds(router: Router): void {
  for (const kind of ['secret', 'config']) {
    router.get(`/${kind}s`, (_req, res) => sendJson(res, 200, []));
    router.all(`/${kind}s/:name{/update}`, (req, _res, next) => {
      if (req.path === `/${kind}s/create`) return next();
      throw new ApiError(404, `${kind} ${pathPart(req, 'name')} not found`);
    });
  }
  router.get('/volumes', (_req, res) => sendJson(res, 200, { Volumes: [], Warnings: null }));
  router.all('/volumes/:name', (req, _res, next) => {
    if (req.method === 'POST' || req.method === 'PUT') return next();
    throw new ApiError(404, `get ${pathPart(req, 'name')}: no such volume`);
  });
  router.get('/images/json', (_req, res) => sendJson(res, 200, []));
  router.get('/images/*image/json', (req) => {
    throw new ApiError(404, `No such image: ${pathPart(req, 'image')}`);
  });
  router.get('/plugins', (_req, res) => sendJson(res, 200, []));
  router.get('/plugins/*plugin/json', (req) => {
    throw new ApiError(404, `plugin "${pathPart(req, 'plugin')}" not found`);
  });
}

/** The engines' own networks, by name as id: what a service's `--network` may be. */
const predefined = [
  { name: 'bridge', driver: 'bridge', scopes: ['local', 'swarm'] },
  { name: 'host', driver: 'host', scopes: ['local', 'swarm'] },
  { name: 'none', driver: 'null', scopes: ['local'] },
] as const;

function networks(router: Router): void {
  router.get('/networks', (req, res) => {
    const keys = ['name', 'id', 'driver', 'scope', 'type', 'label', 'dangling'];
    const filters = parseFilters(queryText(req, 'filters'), keys);
    const isWanted = (network: (typeof predefined)[number]) =>
      passes(filters, 'name', (part) => network.name.includes(part)) &&
      passes(filters, 'id', (prefix) => network.name.startsWith(prefix)) &&
      passes(filters, 'driver', (driver) => network.driver === driver) &&
      passes(filters, 'scope', (scope) => scope === 'local') &&
      passes(filters, 'type', (type) => type === 'builtin') &&
      passes(filters, 'label', () => false) &&
      passes(filters, 'dangling', (value) => value === 'false' || value === '0');
    sendJson(res, 200, predefined.filter(isWanted).map(networkView));
  });
  router.get('/networks/:name', (req, res) => {
    const scope = queryText(req, 'scope') ?? 'local';
    const name = pathPart(req, 'name');
    const found = predefined.find((network) => network.name === name && network.scopes.some((own) => own === scope));
    if (found === undefined) throw new ApiError(404, `network ${name} not found`);
    sendJson(res, 200, networkView(found));
  });
  router.delete('/networks/:name', (req) => {
    const name = pathPart(req, 'name');
    const isPredefined = predefined.some((network) => network.name === name);
    if (isPredefined) throw new ApiError(403, `${name} is a pre-defined network and cannot be removed`);
    throw new ApiError(404, `network ${name} not found`);
  });
}

function networkView({ name, driver }: (typeof predefined)[number]): object {
  return {
    Name: name,
    Id: name,
    Created: new Date(0).toISOString(),
    Scope: 'local',
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: [] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  };
}
