/** `/v1/nodes/<name or id>/metrics`: the page of a node's agent, for a Prometheus that reaches only coordinators. */
import type { Express } from 'express';
import { PlimsollError } from '../../../runtime/errors.ts';
import type { NamedNode, NodePages } from '../../node-pages.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { cutOffLateReader, type SendingParts } from './late-reader.ts';
import { nodeByReference } from './node-reference.ts';

export interface NodePageRouteParts extends SendingParts {
  snapshot(): Snapshot;
  /** Undefined when this coordinator can serve; else the sentence why it cannot (yet). */
  notReady(): string | undefined;
  readonly nodePages: Pick<NodePages, 'page'>;
}

/** 404 for a node there is none of, 503 for one that is lost or not connected, 504 for one that does not answer in time. */
export function addNodePageRoute(app: Express, parts: NodePageRouteParts): void {
  app.get('/v1/nodes/:node/metrics', async (request, response) => {
    const node = knownNode(parts, request.params.node);
    const liveness = parts.snapshot().liveness.get(node.id);
    if (liveness?.state === 'lost') {
      throw new PlimsollError('unavailable', `Node ${node.name} is lost: ${liveness.message}`);
    }
    const page = await parts.nodePages.page(node);
    cutOffLateReader(response, parts);
    response.set('Content-Type', 'text/plain; version=0.0.4; charset=utf-8').send(page);
  });
}

/** A coordinator that does not know the cluster's state must not say that there is no such node. */
function knownNode(parts: NodePageRouteParts, reference: string): NamedNode {
  try {
    return nodeByReference(parts.snapshot(), reference);
  } catch (error) {
    const reason = parts.notReady();
    if (reason === undefined) throw error;
    throw new PlimsollError('unavailable', `Cannot tell the cluster's state: ${reason}`, { cause: error });
  }
}
