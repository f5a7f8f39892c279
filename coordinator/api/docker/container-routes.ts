/** `/containers`: what runs on all nodes, theirs and ours, as one engine would show it. */
import { type Response, Router } from 'express';
import { messageOf } from '../../../runtime/errors.ts';
import { nodesUp } from '../../sessions/reachable-nodes.ts';
import { hostnameOf } from '../../store/node-names.ts';
import type { DockerApiParts } from './api-parts.ts';
import { inspectAnywhere } from './container-lookup.ts';
import {
  type ContainerEntry,
  ContainersReply,
  containerFilterKeys,
  isContainerWanted,
  newestFirst,
} from './container-view.ts';
import { parseFilters } from './filters.ts';
import { pathPart, queryFlag, queryText } from './query.ts';
import { ApiError, sendJson } from './responses.ts';

const NODE_DEADLINE_MS = 4_000;

export function containerRoutes(parts: DockerApiParts): Router {
  const router = Router();
  router.get('/containers/json', async (req, res) => {
    if (queryFlag(req, 'size'))
      throw new ApiError(501, 'Plimsoll does not support sizes of containers (not supported)');
    const filters = parseFilters(queryText(req, 'filters'), containerFilterKeys);
    const all = queryFlag(req, 'all') || filters.has('status') || Number(queryText(req, 'limit') ?? 0) > 0;
    const found = (await listEverywhere(parts, all, res)).filter((container) => isContainerWanted(container, filters));
    const limit = Number(queryText(req, 'limit') ?? 0);
    sendJson(res, 200, newestFirst(found).slice(0, limit > 0 ? limit : undefined));
  });
  router.get('/containers/:container/json', async (req, res) => {
    sendJson(res, 200, (await inspectAnywhere(parts, pathPart(req, 'container'))).container);
  });
  return router;
}

/** A node that does not answer in time is left out, named in the answer's `Warning` header and in the log. */
async function listEverywhere(parts: DockerApiParts, all: boolean, res: Response): Promise<ContainerEntry[]> {
  const lists = await Promise.all(
    nodesUp(parts.snapshot()).map(async (nodeId) => {
      try {
        return (await parts.bus.askNode(nodeId, 'containers', { all }, ContainersReply, NODE_DEADLINE_MS)).containers;
      } catch (error) {
        parts.log.warn({ nodeId, error: messageOf(error) }, 'a node did not list its containers');
        res.appendHeader('Warning', `199 plimsoll "node ${hostnameOf(parts.snapshot(), nodeId)} did not answer"`);
        return [];
      }
    }),
  );
  return lists.flat();
}
