/** Puts an image that was loaded or pulled on one node on those that need it, and on one more, lest it be lost with a disk. */
import { familiarImageName, splitReference } from '../../model/image-name.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { type EngineAnswer, openSession, readWhole, type SessionParts } from '../sessions/engine-session.ts';
import { nodesReady, shownNode } from '../sessions/reachable-nodes.ts';
import { allHolders, imagePath, inspectImage, nodesWithTasksOf } from './image-holders.ts';
import { archiveOf } from './image-relay.ts';

const SENT_AT_ONCE = 2;
const LOAD_WITHIN_MS = 30 * 60_000;
const COPIES = 2;

/** Tells of each node the image was put on, or why it could not be. */
export type SpreadNews = (sentence: string) => void;

/** `reference` is a name the node `fromId` has for it. Never throws for a node that fails: it is told, and others go on. */
export async function spreadImage(
  parts: SessionParts,
  fromId: string,
  reference: string,
  tell: SpreadNews,
  signal: AbortSignal,
): Promise<void> {
  const image = await inspectImage(parts, fromId, reference, signal);
  if (image === undefined) return;
  const waiting = await nodesInNeed(parts, fromId, reference, image.Id, signal);
  const worker = async () => {
    for (let nodeId = waiting.shift(); nodeId !== undefined && !signal.aborted; nodeId = waiting.shift()) {
      tell(await sendTo(parts, { fromId, nodeId, imageId: image.Id, reference }, signal));
    }
  };
  await Promise.all(Array.from({ length: SENT_AT_ONCE }, worker));
}

/** Those whose tasks run it, those where the name means another image now, and one to spare. */
async function nodesInNeed(
  parts: SessionParts,
  fromId: string,
  reference: string,
  imageId: string,
  signal: AbortSignal,
): Promise<string[]> {
  const snapshot = parts.snapshot();
  const ready = nodesReady(snapshot);
  const holders = await allHolders(parts, reference, signal);
  const holding = new Set(holders.filter(({ image }) => image.Id === imageId).map(({ nodeId }) => nodeId));
  const outdated = holders.filter(({ image }) => image.Id !== imageId).map(({ nodeId }) => nodeId);
  const needed = new Set([...nodesWithTasksOf(snapshot, reference), ...outdated]);
  const wanted = ready.filter((nodeId) => nodeId !== fromId && !holding.has(nodeId) && needed.has(nodeId));
  const spare = ready.find((nodeId) => nodeId !== fromId && !holding.has(nodeId) && !needed.has(nodeId));
  const hasEnough = holding.size + wanted.length >= COPIES;
  return hasEnough || spare === undefined ? wanted : [...wanted, spare];
}

interface Parcel {
  readonly fromId: string;
  readonly nodeId: string;
  readonly imageId: string;
  readonly reference: string;
}

async function sendTo(parts: SessionParts, parcel: Parcel, signal: AbortSignal): Promise<string> {
  const { nodeId, imageId, reference } = parcel;
  const name = shownNode(parts.snapshot(), nodeId);
  try {
    const isThere = (await inspectImage(parts, nodeId, imageId, signal)) !== undefined;
    if (!isThere) await load(parts, parcel, signal);
    await tagImage(parts, nodeId, imageId, reference, signal);
    return `${familiarImageName(reference)} is on node ${name}`;
  } catch (error) {
    return `${familiarImageName(reference)} could not be put on node ${name}: ${messageOf(error)}`;
  }
}

async function load(parts: SessionParts, { fromId, nodeId, imageId }: Parcel, signal: AbortSignal): Promise<void> {
  const input = archiveOf(parts, fromId, imageId, signal);
  const request = {
    method: 'POST',
    path: '/images/load',
    query: 'quiet=1',
    input: 'body',
    contentType: 'application/x-tar',
  } as const;
  const options = { what: `load image ${imageId}`, signal, input, headWithinMs: LOAD_WITHIN_MS };
  await wellAnswered(await openSession(parts, nodeId, request, options));
  if ((await inspectImage(parts, nodeId, imageId, signal)) === undefined) {
    throw new PlimsollError('invalid', 'what arrived has another digest');
  }
}

/** Gives the image a name on one node. */
export async function tagImage(
  parts: SessionParts,
  nodeId: string,
  imageId: string,
  reference: string,
  signal: AbortSignal,
): Promise<void> {
  const { repository, tag } = splitReference(reference);
  const query = new URLSearchParams({ repo: repository, tag }).toString();
  const request = { method: 'POST', path: `${imagePath(imageId)}/tag`, query } as const;
  await wellAnswered(await openSession(parts, nodeId, request, { what: `tag image ${imageId}`, signal }));
}

async function wellAnswered(answer: EngineAnswer): Promise<void> {
  const body = await readWhole(answer);
  if (answer.head.status >= 300) throw new PlimsollError('invalid', body.toString().trim());
}
