/**
 * What the Engine API has and a cluster does not (yet): kinds without objects list nothing, look-ups find nothing (a
 * client's search goes on at 404), actions are refused by name with 501 (a 404 would make `docker run` pull an image).
 */
import { type RequestHandler, Router } from 'express';
import { pathPart } from './query.ts';
import { ApiError, sendJson } from './responses.ts';

/** Method, path and what it would do, as the sentence goes on. */
const refusedActions: readonly (readonly ['get' | 'post' | 'put' | 'head' | 'delete', string, string])[] = [
  ['post', '/volumes/prune', 'pruning volumes'],
  ['post', '/containers/create', 'single containers: create a service'],
  ['post', '/containers/prune', 'pruning containers'],
  ['post', '/containers/:container/rename', 'renaming containers: tasks are found by their names'],
  ['post', '/containers/:container/update', 'changing the limits of single containers: update the service'],
  ['get', '/containers/:container/attach/ws', 'attaching over a web socket'],
  ['delete', '/containers/:container/checkpoints/:checkpoint', 'checkpoints'],
  ['post', '/networks/:network/:action', 'connecting containers to networks'],
  ['put', '/volumes/:volume', 'volumes of the cluster'],
  ['post', '/images/:rest/*path', 'acting on images'],
  ['post', '/images/prune', 'pruning images'],
  ['get', '/system/df', 'disk usage of the cluster'],
  ['get', '/images/search', 'searching images'],
  ['get', '/images/*path', 'looking into images'],
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
  router.get('/plugins', (_req, res) => sendJson(res, 200, []));
  router.get('/plugins/*plugin/json', (req) => {
    throw new ApiError(404, `plugin "${pathPart(req, 'plugin')}" not found`);
  });
}
