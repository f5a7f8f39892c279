/** `docker exec`: made on the container's node, started there over the client's own connection. */
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { openSession, readWhole } from '../../sessions/engine-session.ts';
import type { DockerApiParts } from './api-parts.ts';
import { clientSignal } from './client-signal.ts';
import { locate } from './container-actions.ts';
import { ExecNodes } from './exec-nodes.ts';
import { hijacked } from './hijack.ts';
import { bodyOf, joinProcess, passOn, queryOf } from './pass-on.ts';
import { pathPart } from './query.ts';
import { checkJson, readJson } from './request-body.ts';
import { ApiError } from './responses.ts';

const MadeExec = z.object({ Id: z.string() });
const StartOptions = z.looseObject({ Detach: z.boolean().optional(), Tty: z.boolean().optional() });

/** `closing` ends open sessions when the coordinator stops. */
export function execRoutes(parts: DockerApiParts, closing: AbortSignal): Router {
  const router = Router();
  const nodes = new ExecNodes(parts);
  router.post('/containers/:container/exec', (req, res) => make(parts, nodes, req, res, closing));
  router.post('/exec/:exec/start', (req, res) => start(parts, nodes, req, res, closing));
  router.post('/exec/:exec/resize', (req, res) => look(parts, nodes, req, res, closing));
  router.get('/exec/:exec/json', (req, res) => look(parts, nodes, req, res, closing));
  return router;
}

type Handle = (
  parts: DockerApiParts,
  nodes: ExecNodes,
  req: Request,
  res: Response,
  closing: AbortSignal,
) => Promise<void>;

const make: Handle = async (parts, nodes, req, res, closing) => {
  const { nodeId, id, name } = await locate(parts, pathPart(req, 'container'));
  const input = bodyOf(req);
  if (input === undefined) throw new ApiError(400, 'invalid JSON: got EOF while reading request body');
  const signal = clientSignal(res, closing);
  const contentType = req.headers['content-type'];
  const request = { method: 'POST', path: `/containers/${id}/exec`, input: 'body', contentType } as const;
  const answer = await openSession(parts, nodeId, request, { what: `exec in container ${name}`, signal, input });
  const body = await readWhole(answer);
  if (answer.head.status === 201) nodes.remember(MadeExec.parse(JSON.parse(body.toString())).Id, nodeId);
  res.statusCode = answer.head.status;
  res.setHeader('Content-Type', 'application/json');
  res.end(body);
};

const start: Handle = async (parts, nodes, req, res, closing) => {
  const connection = await hijacked(req, parts.clock);
  const options = connection === undefined ? await readJson(req, StartOptions) : optionsOf(connection.body);
  const execId = pathPart(req, 'exec');
  const what = 'run the exec';
  const nodeId = await nodes.nodeOf(execId, closing);
  const path = `/exec/${encodeURIComponent(execId)}/start`;
  const contentType = 'application/json';
  const request = { method: 'POST', path, contentType, body: JSON.stringify(options) } as const;
  const tty = options.Tty === true;
  await joinProcess(parts, connection, { nodeId, request, what, tty }, res, closing);
};

function optionsOf(body: string): z.infer<typeof StartOptions> {
  try {
    return checkJson(JSON.parse(body), StartOptions);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(400, 'invalid JSON in the request to upgrade');
  }
}

/** The state of an exec, or the size of its terminal. */
const look: Handle = async (parts, nodes, req, res, closing) => {
  const nodeId = await nodes.nodeOf(pathPart(req, 'exec'), closing);
  const signal = clientSignal(res, closing);
  const method = req.method === 'POST' ? 'POST' : 'GET';
  const request = { method, path: req.path, query: queryOf(req) } as const;
  await passOn(await openSession(parts, nodeId, request, { what: 'ask for the exec', signal }), res, signal);
};
