/**
 * Hands a node the image its task needs and another node has. Nodes cannot speak to each other on the bus, so the bytes
 * pass through here, as fast as the node that wants them takes them.
 */
import type { Bus, Subscription } from '../../bus/bus.ts';
import { type ImageHead, ImageRequest } from '../../model/image-transfer.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { onlyImage } from '../../runtime/image-archive.ts';
import type { Log } from '../../runtime/log.ts';
import { openSession, type SessionParts } from '../sessions/engine-session.ts';
import { shownNode } from '../sessions/reachable-nodes.ts';
import { findHolder, imagePath, nodesWithTasksOf } from './image-holders.ts';

export interface ImageRelayParts extends SessionParts {
  readonly bus: Pick<Bus, 'askNode' | 'askNodeStream' | 'subscribe' | 'answerNodeStreams'>;
  readonly log: Log;
}

/** An engine reads a whole image from its disk before it begins to send it. */
const ARCHIVE_WITHIN_MS = 5 * 60_000;

/** Answers until the subscription is stopped. */
export function answerImageRequests(parts: ImageRelayParts): Subscription {
  return parts.bus.answerNodeStreams('image', ImageRequest, (nodeId, { reference }, signal) =>
    imageFor(parts, nodeId, reference, signal),
  );
}

/** The head, then the archive. Throws `refused` when the node has no business with the image, `not-found` when no other has it. */
async function* imageFor(
  parts: ImageRelayParts,
  nodeId: string,
  reference: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (!nodesWithTasksOf(parts.snapshot(), reference).includes(nodeId)) {
    throw new PlimsollError('refused', `No task of this node needs image ${reference}`);
  }
  const holder = await findHolder(parts, reference, signal, nodeId);
  if (holder === undefined) throw new PlimsollError('not-found', `No other node has image ${reference}`);
  const { image, nodeId: fromId } = holder;
  const from = shownNode(parts.snapshot(), fromId);
  yield Buffer.from(JSON.stringify({ imageId: image.Id, from } satisfies ImageHead));
  parts.log.info({ reference, imageId: image.Id, fromId, nodeId }, 'an image goes from node to node');
  yield* archiveOf(parts, fromId, image.Id, signal);
}

/** What `docker save` writes for an image's id: its layers and configuration, and no name. Throws `invalid` for anything else. */
export async function* archiveOf(
  parts: SessionParts,
  nodeId: string,
  imageId: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const request = { method: 'GET', path: `${imagePath(imageId)}/get` } as const;
  const options = { what: `read image ${imageId}`, signal, headWithinMs: ARCHIVE_WITHIN_MS };
  const { head, chunks } = await openSession(parts, nodeId, request, options);
  if (head.status !== 200) {
    throw new PlimsollError('unavailable', `Node ${shownNode(parts.snapshot(), nodeId)} cannot read image ${imageId}`);
  }
  yield* onlyImage(chunks, imageId);
}
