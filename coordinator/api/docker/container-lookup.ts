/** Which node has a container: known for containers of tasks; for others all nodes are asked. */
import { PlimsollError } from '../../../runtime/errors.ts';
import { attemptId } from '../../../runtime/identifiers.ts';
import { refuseLostNode } from '../../sessions/node-watch.ts';
import { nodesUp } from '../../sessions/reachable-nodes.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { DockerApiParts } from './api-parts.ts';
import { InspectReply } from './container-view.ts';
import { ApiError } from './responses.ts';

const NODE_DEADLINE_MS = 4_000;

export interface FoundContainer {
  readonly nodeId: string;
  /** The engine's own inspection. */
  readonly container: Record<string, unknown>;
}

/** `reference` is an id, the beginning of one, or a name. Throws Docker's 404 and 400, or why its node did not answer. */
export async function inspectAnywhere(parts: DockerApiParts, reference: string): Promise<FoundContainer> {
  const snapshot = parts.snapshot();
  const known = nodeOfContainer(snapshot, reference);
  if (known !== undefined) refuseLostNode(parts, known, `reach container ${reference}`);
  const nodeIds = known === undefined ? nodesUp(snapshot) : [known];
  const answers = await Promise.allSettled(nodeIds.map((nodeId) => inspect(parts, nodeId, reference)));
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const [only] = found;
  if (found.length > 1) throw new ApiError(400, `container ${reference} is ambiguous: ${found.length} nodes have one`);
  if (only !== undefined) return only;
  const failure = answers.find((answer) => answer.status === 'rejected' && !isNotFound(answer.reason));
  if (failure?.status === 'rejected' && known !== undefined) throw failure.reason;
  throw new ApiError(404, `No such container: ${reference}`);
}

async function inspect({ bus }: DockerApiParts, nodeId: string, id: string): Promise<FoundContainer> {
  const { container } = await bus.askNode(nodeId, 'inspect', { id }, InspectReply, NODE_DEADLINE_MS);
  return { nodeId, container };
}

const isNotFound = (error: unknown): boolean => error instanceof PlimsollError && error.code === 'not-found';

/** Undefined for a container that no task's newest attempt has. */
export function nodeOfContainer(snapshot: Snapshot, reference: string): string | undefined {
  const statuses = [...snapshot.statuses.values()].map(({ value }) => value);
  if (/^[0-9a-f]{12,64}$/.test(reference)) {
    return statuses.find(({ containerId }) => containerId?.startsWith(reference))?.nodeId;
  }
  // `web.1.<attempt's id>`: how we name containers.
  const shownId = /\.([0-9a-z]{25})$/.exec(reference)?.[1];
  if (shownId === undefined) return undefined;
  return statuses.find(({ taskId, attempt }) => attemptId(taskId, attempt) === shownId)?.nodeId;
}
