/** Volumes as the nodes' engines know them. A node that is lost is not asked, one that does not answer keeps nobody waiting. */
import { z } from 'zod';
import { messageOf, PlimsollError } from '../../../runtime/errors.ts';
import { openSession, readWhole, type SessionParts } from '../../sessions/engine-session.ts';
import { nodesUp } from '../../sessions/reachable-nodes.ts';
import { hostnameOf } from '../../store/node-names.ts';
import { ApiError } from './responses.ts';

const NODE_WITHIN_MS = 4_000;

export const EngineVolume = z.looseObject({ Name: z.string() });
export type EngineVolume = z.infer<typeof EngineVolume>;
const ListReply = z.object({ Volumes: z.array(EngineVolume).nullish() });

export interface NodeVolume {
  readonly nodeId: string;
  readonly volume: EngineVolume;
}

/** Every node's volumes, and a sentence for each node that did not answer; `query` is the engine's own. */
export async function listVolumes(
  parts: SessionParts,
  query: string,
): Promise<{ volumes: NodeVolume[]; warnings: string[] }> {
  const warnings: string[] = [];
  const lists = await onEachNode(parts, async (nodeId) => {
    try {
      const { Volumes } = ListReply.parse(await callEngine(parts, nodeId, { method: 'GET', path: '/volumes', query }));
      return (Volumes ?? []).map((volume) => ({ nodeId, volume }));
    } catch (error) {
      warnings.push(`node ${hostnameOf(parts.snapshot(), nodeId)} did not list its volumes: ${messageOf(error)}`);
      return [];
    }
  });
  return { volumes: lists.flat(), warnings };
}

/** The nodes' volumes of this name. */
export async function findVolumes(parts: SessionParts, name: string, nodeIds = nodesUp(parts.snapshot())) {
  const path = `/volumes/${encodeURIComponent(name)}`;
  const found = await onEachNode(
    parts,
    async (nodeId): Promise<NodeVolume[]> => {
      try {
        return [{ nodeId, volume: EngineVolume.parse(await callEngine(parts, nodeId, { method: 'GET', path })) }];
      } catch (error) {
        const isKnownNode = nodeIds.length === 1;
        if (isKnownNode && !(error instanceof ApiError && error.status === 404)) throw error;
        return [];
      }
    },
    nodeIds,
  );
  return found.flat();
}

/** Throws ApiError with what the engine said. */
export async function removeVolume(parts: SessionParts, { nodeId, volume }: NodeVolume, force: boolean): Promise<void> {
  const path = `/volumes/${encodeURIComponent(volume.Name)}`;
  await callEngine(parts, nodeId, { method: 'DELETE', path, query: force ? 'force=1' : '' });
}

function onEachNode<T>(
  parts: SessionParts,
  ask: (nodeId: string) => Promise<T>,
  nodeIds = nodesUp(parts.snapshot()),
): Promise<T[]> {
  return Promise.all(nodeIds.map(ask));
}

async function callEngine(
  parts: SessionParts,
  nodeId: string,
  request: { method: 'GET' | 'DELETE'; path: string; query?: string },
): Promise<unknown> {
  const gone = new AbortController();
  const options = { what: 'ask for volumes', signal: gone.signal, headWithinMs: NODE_WITHIN_MS };
  const answer = await openSession(parts, nodeId, request, options);
  const text = (await readWhole(answer)).toString('utf8');
  if (answer.head.status < 300) return text === '' ? undefined : JSON.parse(text);
  throw new ApiError(answer.head.status, messageIn(text));
}

function messageIn(text: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(text)).message;
  } catch {
    throw new PlimsollError('internal', `The engine answered what it does not say why: ${text.slice(0, 200)}`);
  }
}
