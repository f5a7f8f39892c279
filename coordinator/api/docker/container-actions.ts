/**
 * What one does to a container or looks up in it, passed on to the engine of its node. A task's container stays its
 * service's: what ends it is an exit like any other, and the restart policy says what follows.
 */
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { containerLabels } from '../../../model/labels.ts';
import { restartRules } from '../../../model/service-defaults.ts';
import { type EngineRequest, HEAD_WITHIN_MS, openSession } from '../../sessions/engine-session.ts';
import type { DockerApiParts } from './api-parts.ts';
import { clientSignal } from './client-signal.ts';
import { inspectAnywhere } from './container-lookup.ts';
import { hijacked } from './hijack.ts';
import { bodyOf, joinProcess, type LastWords, lastWordsInFrame, lastWordsOfWait, passOn, queryOf } from './pass-on.ts';
import { pathPart, queryText } from './query.ts';
import { ApiError, sendEmpty } from './responses.ts';

/** Paths below a container that only look, and those that change it. */
const looks = ['top', 'changes', 'export', 'archive', 'logs'];
const actions = ['start', 'stop', 'kill', 'pause', 'unpause', 'wait', 'resize'];
/** An engine's own default, and what it may take beyond the time it gives a container to stop. */
const STOP_GRACE_S = 10;

const Inspection = z.object({
  Id: z.string(),
  Name: z.string(),
  Config: z.object({
    Tty: z.boolean(),
    StopTimeout: z.number().nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
});

export interface LocatedContainer {
  readonly nodeId: string;
  /** In full. */
  readonly id: string;
  readonly name: string;
  readonly tty: boolean;
  /** Absent for a container that is no task's. */
  readonly taskId: string | undefined;
  readonly stopGraceS: number;
}

/** Throws Docker's 404 and 400, or a sentence when its node cannot be asked. */
export async function locate(parts: DockerApiParts, reference: string): Promise<LocatedContainer> {
  const { nodeId, container } = await inspectAnywhere(parts, reference);
  const { Id, Name, Config } = Inspection.parse(container);
  return {
    nodeId,
    id: Id,
    name: Name.replace(/^\//, ''),
    tty: Config.Tty,
    taskId: Config.Labels?.[containerLabels.task],
    stopGraceS: Config.StopTimeout ?? STOP_GRACE_S,
  };
}

/** `closing` ends open sessions when the coordinator stops. */
export function containerActionRoutes(parts: DockerApiParts, closing: AbortSignal): Router {
  const router = Router();
  const pass = (method: EngineRequest['method']) => (req: Request, res: Response) =>
    passToNode(parts, req, res, method, closing);
  for (const part of looks) router.get(`/containers/:container/${part}`, pass('GET'));
  router.head('/containers/:container/archive', pass('HEAD'));
  router.put('/containers/:container/archive', pass('PUT'));
  router.delete('/containers/:container', pass('DELETE'));
  router.post('/containers/:container/restart', (req, res) => restart(parts, req, res, closing));
  router.post('/containers/:container/attach', (req, res) => attach(parts, req, res, closing));
  for (const action of actions) router.post(`/containers/:container/${action}`, pass('POST'));
  return router;
}

async function passToNode(
  parts: DockerApiParts,
  req: Request,
  res: Response,
  method: EngineRequest['method'],
  closing: AbortSignal,
): Promise<void> {
  const container = await locate(parts, pathPart(req, 'container'));
  const last = req.path.split('/').slice(3).join('/');
  if (last === 'start') refuseStart(container);
  const input = bodyOf(req);
  const request: EngineRequest = {
    method,
    path: last === '' ? `/containers/${container.id}` : `/containers/${container.id}/${last}`,
    query: queryOf(req),
    input: input === undefined ? 'none' : 'body',
    contentType: req.headers['content-type'],
  };
  const signal = clientSignal(res, closing);
  const what = `${last || 'remove'} container ${container.name}`;
  const headWithinMs = last === 'stop' ? stopMs(req, container) : HEAD_WITHIN_MS;
  const options = { what, signal, headWithinMs, ...(input !== undefined && { input }) };
  await passOn(
    await openSession(parts, container.nodeId, request, options),
    res,
    signal,
    lastWordsFor(last, container),
  );
}

function lastWordsFor(path: string, { tty }: LocatedContainer): LastWords {
  if (path === 'wait') return lastWordsOfWait;
  return path === 'logs' && !tty ? lastWordsInFrame : () => undefined;
}

function stopMs(req: Request, { stopGraceS }: LocatedContainer): number {
  return graceS(req, stopGraceS) * 1000 + HEAD_WITHIN_MS;
}

/** A negative time means to wait for ever; nobody's client does. */
function graceS(req: Request, otherwise: number): number {
  const text = queryText(req, 't') ?? '';
  if (text === '') return otherwise;
  if (!/^\d{1,6}$/.test(text)) throw new ApiError(400, `t=${text}: give the seconds to wait before killing, 0 or more`);
  return Number(text);
}

function refuseStart({ name, taskId }: LocatedContainer): void {
  if (taskId === undefined) return;
  throw new ApiError(
    409,
    `Cannot start container ${name}: it was an attempt of a task, and its service starts a new container for the next ` +
      'one; use docker service update --force',
  );
}

/** A task's container is stopped and its next attempt, in a container of its own, takes its place. */
async function restart(parts: DockerApiParts, req: Request, res: Response, closing: AbortSignal): Promise<void> {
  const container = await locate(parts, pathPart(req, 'container'));
  const { nodeId, taskId, id, name } = container;
  const what = `restart container ${name}`;
  if (queryText(req, 'signal')) throw new ApiError(501, 'Plimsoll does not support restart --signal (not supported)');
  const timeoutMs = stopMs(req, container);
  if (taskId === undefined) {
    const signal = clientSignal(res, closing);
    const request = { method: 'POST', path: `/containers/${id}/restart`, query: queryOf(req) } as const;
    return passOn(await openSession(parts, nodeId, request, { what, signal, headWithinMs: timeoutMs }), res, signal);
  }
  refuseFinalRestart(parts, container);
  const graceMs = graceS(req, container.stopGraceS) * 1000;
  await parts.bus.askNode(nodeId, 'restart', { containerId: id, graceMs }, z.unknown(), timeoutMs);
  sendEmpty(res, 204);
}

function refuseFinalRestart({ snapshot }: DockerApiParts, { taskId, name }: LocatedContainer): void {
  const task = [...snapshot().tasks.values()].find(({ value }) => value.id === taskId)?.value;
  if (task === undefined || restartRules(task.template.RestartPolicy).condition !== 'none') return;
  throw new ApiError(
    409,
    `Cannot restart container ${name}: the restart condition of its service ${task.serviceName} is none, so nothing ` +
      'would take its place; use docker service update --force',
  );
}

async function attach(parts: DockerApiParts, req: Request, res: Response, closing: AbortSignal): Promise<void> {
  const container = await locate(parts, pathPart(req, 'container'));
  const { nodeId, id, tty } = container;
  const what = `attach to container ${container.name}`;
  const request = { method: 'POST', path: `/containers/${id}/attach`, query: queryOf(req) } as const;
  const connection = await hijacked(req, parts.clock);
  await joinProcess(parts, connection, { nodeId, request, what, tty }, res, closing);
}
