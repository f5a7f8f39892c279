/** Which node an exec is on: remembered for those made here, asked for otherwise, as any coordinator may be asked to start one. */

import { openSession, readWhole } from '../../sessions/engine-session.ts';
import { nodesUp } from '../../sessions/reachable-nodes.ts';
import type { DockerApiParts } from './api-parts.ts';
import { ApiError } from './responses.ts';

const REMEMBERED = 1_000;
const ASK_WITHIN_MS = 4_000;

export class ExecNodes {
  private readonly nodes = new Map<string, string>();
  private readonly parts: DockerApiParts;

  constructor(parts: DockerApiParts) {
    this.parts = parts;
  }

  remember(execId: string, nodeId: string): void {
    this.nodes.set(execId, nodeId);
    const oldest = this.nodes.keys().next();
    if (this.nodes.size > REMEMBERED && !oldest.done) this.nodes.delete(oldest.value);
  }

  /** Throws the engine's own 404 when no node that answers has it. */
  async nodeOf(execId: string, signal: AbortSignal): Promise<string> {
    const remembered = this.nodes.get(execId);
    if (remembered !== undefined) return remembered;
    const asked = nodesUp(this.parts.snapshot()).map(async (nodeId) => {
      if (await this.has(nodeId, execId, signal)) return nodeId;
      throw new ApiError(404, `No such exec instance: ${execId}`);
    });
    const nodeId = await Promise.any(asked).catch(() => {
      throw new ApiError(404, `No such exec instance: ${execId}`);
    });
    this.remember(execId, nodeId);
    return nodeId;
  }

  private async has(nodeId: string, execId: string, signal: AbortSignal): Promise<boolean> {
    const request = { method: 'GET', path: `/exec/${encodeURIComponent(execId)}/json` } as const;
    const options = { what: 'look for an exec', signal, headWithinMs: ASK_WITHIN_MS };
    const answer = await openSession(this.parts, nodeId, request, options);
    await readWhole(answer);
    return answer.head.status === 200;
  }
}
