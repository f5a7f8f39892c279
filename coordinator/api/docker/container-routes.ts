/** `/containers`: what runs on all nodes, theirs and ours, as one engine would show it. */
import { type Response, Router } from 'express';
import { messageOf, PlimsollError } from '../../../runtime/errors.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { DockerApiParts } from './api-parts.ts';
import {
  type ContainerEntry,
  ContainersReply,
  containerFilterKeys,
  InspectReply,
  isContainerWanted,
  newestFirst,
} from './container-view.ts';
import { parseFilters } from './filters.ts';
import { nodeState } from './node-state.ts';
import { pathPart, queryFlag, queryText } from './query.ts';
import { nodeName } from './references.ts';
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
    sendJson(res, 200, await inspectAnywhere(parts, pathPart(req, 'container')));
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
        res.appendHeader('Warning', `199 plimsoll "node ${nodeName(parts.snapshot(), nodeId)} did not answer"`);
        return [];
      }
    }),
  );
  return lists.flat();
}

/** The node is known for containers of tasks; for others all nodes are asked. */
async function inspectAnywhere(parts: DockerApiParts, reference: string): Promise<Record<string, unknown>> {
  const snapshot = parts.snapshot();
  const known = nodeOfContainer(snapshot, reference);
  const nodeIds = known === undefined ? nodesUp(snapshot) : [known];
  const answers = await Promise.allSettled(
    nodeIds.map((id) => parts.bus.askNode(id, 'inspect', { id: reference }, InspectReply, NODE_DEADLINE_MS)),
  );
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.container] : []));
  const [only] = found;
  if (found.length > 1) throw new ApiError(400, `container ${reference} is ambiguous: ${found.length} nodes have one`);
  if (only !== undefined) return only;
  const failure = answers.find((answer) => answer.status === 'rejected' && !isNotFound(answer.reason));
  if (failure?.status === 'rejected' && known !== undefined) throw failure.reason;
  throw new ApiError(404, `No such container: ${reference}`);
}

const isNotFound = (error: unknown): boolean => error instanceof PlimsollError && error.code === 'not-found';

function nodesUp(snapshot: Snapshot): string[] {
  return [...snapshot.nodeSpecs.keys()].filter((nodeId) => nodeState(snapshot, nodeId) !== 'down');
}

function nodeOfContainer(snapshot: Snapshot, reference: string): string | undefined {
  if (!/^[0-9a-f]{12,64}$/.test(reference)) return undefined;
  const isIt = (containerId: string | undefined) => containerId?.startsWith(reference);
  return [...snapshot.statuses.values()].find(({ value }) => isIt(value.containerId))?.value.nodeId;
}
