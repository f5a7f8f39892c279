/** Which node has an image: those that run it are asked first, then the others, some at a time. */
import { z } from 'zod';
import { familiarImageName } from '../../model/image-name.ts';
import { openSession, readWhole, type SessionParts } from '../sessions/engine-session.ts';
import { nodesUp } from '../sessions/reachable-nodes.ts';
import type { Snapshot } from '../store/snapshot.ts';

const ASKED_AT_ONCE = 16;
const ASK_WITHIN_MS = 4_000;

/** An engine's inspection of an image; what we do not look at passes through. */
export const ImageInspection = z.looseObject({ Id: z.string(), Size: z.number().optional() });
export type ImageInspection = z.infer<typeof ImageInspection>;

export interface ImageHolder {
  readonly nodeId: string;
  readonly image: ImageInspection;
}

/** The path of an image below `/images/`: a name's own slashes and colons stay. */
export function imagePath(reference: string): string {
  return `/images/${reference.split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':').replaceAll('%40', '@')}`;
}

/** Undefined when the node does not have it. Throws when the node does not say. */
export async function inspectImage(
  parts: SessionParts,
  nodeId: string,
  reference: string,
  signal: AbortSignal,
): Promise<ImageInspection | undefined> {
  const request = { method: 'GET', path: `${imagePath(reference)}/json` } as const;
  const options = { what: `look for image ${reference}`, signal, headWithinMs: ASK_WITHIN_MS };
  const answer = await openSession(parts, nodeId, request, options);
  const body = await readWhole(answer);
  return answer.head.status === 200 ? ImageInspection.parse(JSON.parse(body.toString())) : undefined;
}

/** The first node found to have it. Undefined when none does; one that does not answer is taken not to. */
export async function findHolder(
  parts: SessionParts,
  reference: string,
  signal: AbortSignal,
  besides?: string,
): Promise<ImageHolder | undefined> {
  const nodeIds = likelyHolders(parts.snapshot(), reference).filter((nodeId) => nodeId !== besides);
  for (let from = 0; from < nodeIds.length && !signal.aborted; from += ASKED_AT_ONCE) {
    const batch = nodeIds.slice(from, from + ASKED_AT_ONCE);
    const [holder] = await holdersAmong(parts, batch, reference, signal);
    if (holder !== undefined) return holder;
  }
  return undefined;
}

/** Every node that has it, of those that answer. */
export async function allHolders(parts: SessionParts, reference: string, signal: AbortSignal): Promise<ImageHolder[]> {
  return holdersAmong(parts, nodesUp(parts.snapshot()), reference, signal);
}

async function holdersAmong(
  parts: SessionParts,
  nodeIds: readonly string[],
  reference: string,
  signal: AbortSignal,
): Promise<ImageHolder[]> {
  const found = await Promise.all(
    nodeIds.map(async (nodeId) => {
      const image = await inspectImage(parts, nodeId, reference, signal).catch(() => undefined);
      return image === undefined ? [] : [{ nodeId, image }];
    }),
  );
  return found.flat();
}

/** Those with a running task of it come first. */
function likelyHolders(snapshot: Snapshot, reference: string): string[] {
  const running = new Set(nodesWithTasksOf(snapshot, reference, true));
  const up = nodesUp(snapshot);
  return [...up.filter((nodeId) => running.has(nodeId)), ...up.filter((nodeId) => !running.has(nodeId))];
}

/** Nodes that have tasks of an image, running ones or any that shall run. */
export function nodesWithTasksOf(snapshot: Snapshot, reference: string, isRunning = false): string[] {
  const name = familiarImageName(reference);
  const tasks = [...snapshot.tasks.values()].map(({ value }) => value);
  return tasks
    .filter(({ desired }) => desired !== 'stopped')
    .filter(({ template }) => familiarImageName(template.ContainerSpec.Image) === name)
    .filter(({ id }) => !isRunning || snapshot.statuses.get(id)?.value.state === 'running')
    .map(({ nodeId }) => nodeId);
}
