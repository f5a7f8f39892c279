/** `/images`: what all nodes have, as one engine would show it; what is loaded or pulled goes to the nodes that need it. */
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { familiarImageName } from '../../../model/image-name.ts';
import { messageOf } from '../../../runtime/errors.ts';
import { allHolders, findHolder, type ImageHolder, imagePath } from '../../images/image-holders.ts';
import { spreadImage } from '../../images/image-spread.ts';
import { type EngineRequest, openSession, readWhole } from '../../sessions/engine-session.ts';
import { nodesUp } from '../../sessions/reachable-nodes.ts';
import { hostnameOf } from '../../store/node-names.ts';
import type { DockerApiParts } from './api-parts.ts';
import { clientSignal } from './client-signal.ts';
import { type ListedImage, ListedImages, mergedImages } from './image-view.ts';
import { nodeState } from './node-state.ts';
import { bodyOf, passOn, queryOf } from './pass-on.ts';
import { pathPart, queryText } from './query.ts';
import { ApiError, sendEmpty, sendJson } from './responses.ts';

const LIST_WITHIN_MS = 8_000;
/** An archive is read whole before the engine says a word of it; a pull begins to tell at once. */
const LOAD_WITHIN_MS = 30 * 60_000;
const Removed = z.array(z.record(z.string(), z.string()));
const Progress = z.object({ stream: z.string().optional(), error: z.string().optional() });

/** `closing` ends what is under way when the coordinator stops. */
export function imageRoutes(parts: DockerApiParts, closing: AbortSignal): Router {
  const router = Router();
  router.get('/images/json', (req, res) => list(parts, req, res, closing));
  router.get('/images/get', (req, res) => save(parts, req, res, closing));
  router.get('/images/*image/get', (req, res) => save(parts, req, res, closing));
  for (const part of ['json', 'history']) {
    router.get(`/images/*image/${part}`, (req, res) => look(parts, req, res, part, closing));
  }
  router.post('/images/load', (req, res) => load(parts, req, res, closing));
  router.post('/images/create', (req, res) => pull(parts, req, res, closing));
  router.post('/images/*image/tag', (req, res) => tag(parts, req, res, closing));
  router.delete('/images/*image', (req, res) => remove(parts, req, res, closing));
  return router;
}

/** Every node is asked with the client's own filters; one that does not answer is left out, named in a `Warning` header. */
async function list(parts: DockerApiParts, req: Request, res: Response, closing: AbortSignal): Promise<void> {
  const signal = clientSignal(res, closing);
  const request = { method: 'GET', path: '/images/json', query: queryOf(req) } as const;
  const lists = await Promise.all(
    nodesUp(parts.snapshot()).map(async (nodeId): Promise<ListedImage[]> => {
      try {
        const options = { what: 'list images', signal, headWithinMs: LIST_WITHIN_MS };
        const answer = await openSession(parts, nodeId, request, options);
        const body = (await readWhole(answer)).toString();
        if (answer.head.status !== 200) throw new ApiError(answer.head.status, body);
        return ListedImages.parse(JSON.parse(body));
      } catch (error) {
        if (error instanceof ApiError && error.status === 400) throw engineRefusal(error);
        parts.log.warn({ nodeId, error: messageOf(error) }, 'a node did not list its images');
        res.appendHeader('Warning', `199 plimsoll "node ${hostnameOf(parts.snapshot(), nodeId)} did not answer"`);
        return [];
      }
    }),
  );
  sendJson(res, 200, mergedImages(lists.flat()));
}

function engineRefusal({ status, message }: ApiError): ApiError {
  const parsed = z.object({ message: z.string() }).safeParse(JSON.parse(message));
  return new ApiError(status, parsed.success ? parsed.data.message : message);
}

async function holderOf(parts: DockerApiParts, reference: string, signal: AbortSignal): Promise<ImageHolder> {
  const holder = await findHolder(parts, reference, signal);
  if (holder === undefined) throw new ApiError(404, `No such image: ${familiarImageName(reference)}`);
  return holder;
}

async function look(
  parts: DockerApiParts,
  req: Request,
  res: Response,
  part: string,
  closing: AbortSignal,
): Promise<void> {
  const signal = clientSignal(res, closing);
  const reference = pathPart(req, 'image');
  const { nodeId } = await holderOf(parts, reference, signal);
  const request = { method: 'GET', path: `${imagePath(reference)}/${part}`, query: queryOf(req) } as const;
  await passOn(await openSession(parts, nodeId, request, { what: `inspect image ${reference}`, signal }), res, signal);
}

/** All images of one archive must be on one node. */
async function save(parts: DockerApiParts, req: Request, res: Response, closing: AbortSignal): Promise<void> {
  const signal = clientSignal(res, closing);
  const { names = pathPart(req, 'image') } = req.query;
  const wanted = [names].flat().map(String);
  const holders = await Promise.all(wanted.map((reference) => allHolders(parts, reference, signal)));
  const missing = wanted.find((_reference, index) => holders[index]?.length === 0);
  if (missing !== undefined) throw new ApiError(404, `No such image: ${familiarImageName(missing)}`);
  const [first = [], ...others] = holders;
  const holder = first.find(({ nodeId }) => others.every((some) => some.some((other) => other.nodeId === nodeId)));
  if (holder === undefined) throw new ApiError(409, `No node has all of ${wanted.join(', ')}: save them one by one`);
  const query = wanted.map((name) => `names=${encodeURIComponent(name)}`).join('&');
  const options = { what: `save ${wanted.join(', ')}`, signal, headWithinMs: LOAD_WITHIN_MS };
  const request = { method: 'GET', path: '/images/get', query } as const;
  await passOn(await openSession(parts, holder.nodeId, request, options), res, signal);
}

async function load(parts: DockerApiParts, req: Request, res: Response, closing: AbortSignal): Promise<void> {
  const input = bodyOf(req);
  if (input === undefined) throw new ApiError(400, 'the request has no body: send the archive that docker save wrote');
  const contentType = req.headers['content-type'] ?? 'application/x-tar';
  const request: EngineRequest = {
    method: 'POST',
    path: '/images/load',
    query: queryOf(req),
    input: 'body',
    contentType,
  };
  await takeIn(parts, res, { request, input, what: 'load images', loaded: loadedNames }, closing);
}

async function pull(parts: DockerApiParts, req: Request, res: Response, closing: AbortSignal): Promise<void> {
  const image = queryText(req, 'fromImage') ?? '';
  if (image === '') throw new ApiError(501, 'Plimsoll does not support importing images (not supported): docker load');
  const tag = queryText(req, 'tag') ?? '';
  const separator = tag.includes(':') ? '@' : ':';
  const reference = tag === '' ? image : `${image}${separator}${tag}`;
  const registryAuth = req.headers['x-registry-auth'];
  const request: EngineRequest = {
    method: 'POST',
    path: '/images/create',
    query: queryOf(req),
    ...(typeof registryAuth === 'string' && { registryAuth }),
  };
  await takeIn(parts, res, { request, what: `pull ${reference}`, loaded: () => [reference] }, closing);
}

interface Intake {
  readonly request: EngineRequest;
  readonly input?: AsyncIterable<Uint8Array>;
  readonly what: string;
  /** The names of what the engine has taken in, by what it told of it. */
  readonly loaded: (told: string) => readonly string[];
}

/** One node takes the images in, telling the client how it goes; then they go to the nodes that need them. */
async function takeIn(
  parts: DockerApiParts,
  res: Response,
  { request, input, what, loaded }: Intake,
  closing: AbortSignal,
): Promise<void> {
  const signal = clientSignal(res, closing);
  const nodeId = firstNode(parts);
  const options = { what, signal, headWithinMs: LOAD_WITHIN_MS, ...(input !== undefined && { input }) };
  const answer = await openSession(parts, nodeId, request, options);
  if (answer.head.status !== 200) return passOn(answer, res, signal);
  res.setHeader('Content-Type', 'application/json');
  let told = '';
  for await (const chunk of answer.chunks) {
    told += Buffer.from(chunk).toString();
    res.write(chunk);
  }
  const tell = (sentence: string) => void res.write(`${JSON.stringify({ stream: `${sentence}\n` })}\r\n`);
  if (!failed(told)) {
    for (const reference of loaded(told)) {
      await spreadImage(parts, nodeId, reference, tell, signal).catch((error) => tell(messageOf(error)));
    }
  }
  res.end();
}

/** This coordinator's own node, where it is one; else any that is ready. */
function firstNode(parts: DockerApiParts): string {
  const snapshot = parts.snapshot();
  const isReady = (nodeId: string) => nodeState(snapshot, nodeId) === 'ready';
  const own = parts.nodeId();
  const nodeId = own !== undefined && isReady(own) ? own : nodesUp(snapshot).find(isReady);
  if (nodeId === undefined) throw new ApiError(503, 'No node is ready to take an image');
  return nodeId;
}

const progressOf = (told: string) =>
  told.split('\n').flatMap((line) => {
    try {
      return [Progress.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });

const failed = (told: string): boolean => progressOf(told).some(({ error }) => error !== undefined);

/** `Loaded image: web:1`; images without a name are told by their id and stay where they are. */
function loadedNames(told: string): string[] {
  const text = progressOf(told)
    .map(({ stream }) => stream ?? '')
    .join('');
  return [...text.matchAll(/^Loaded image: (\S+)$/gm)].map(([, name = '']) => name);
}

/** On every node that has it: a name means the same image everywhere. */
async function tag(parts: DockerApiParts, req: Request, res: Response, closing: AbortSignal): Promise<void> {
  const signal = clientSignal(res, closing);
  const reference = pathPart(req, 'image');
  const holders = await allHolders(parts, reference, signal);
  if (holders.length === 0) throw new ApiError(404, `No such image: ${familiarImageName(reference)}`);
  for (const { nodeId } of holders) {
    const request = { method: 'POST', path: `${imagePath(reference)}/tag`, query: queryOf(req) } as const;
    const answer = await openSession(parts, nodeId, request, { what: `tag image ${reference}`, signal });
    if (answer.head.status >= 300) return passOn(answer, res, signal);
    await readWhole(answer);
  }
  sendEmpty(res, 201);
}

/** From every node that has it; the first refusal (a container uses it) is the answer, and what is gone by then is gone. */
async function remove(parts: DockerApiParts, req: Request, res: Response, closing: AbortSignal): Promise<void> {
  const signal = clientSignal(res, closing);
  const reference = pathPart(req, 'image');
  const holders = await allHolders(parts, reference, signal);
  if (holders.length === 0) throw new ApiError(404, `No such image: ${familiarImageName(reference)}`);
  const removed = new Map<string, Record<string, string>>();
  for (const { nodeId } of holders) {
    const request = { method: 'DELETE', path: imagePath(reference), query: queryOf(req) } as const;
    const answer = await openSession(parts, nodeId, request, { what: `remove image ${reference}`, signal });
    if (answer.head.status >= 300 && answer.head.status !== 404) return passOn(answer, res, signal);
    const body = await readWhole(answer);
    if (answer.head.status === 404) continue;
    for (const entry of Removed.parse(JSON.parse(body.toString()))) removed.set(JSON.stringify(entry), entry);
  }
  sendJson(res, 200, [...removed.values()]);
}
