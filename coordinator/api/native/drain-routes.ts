/** `/v1/nodes/<node>/drain`: empties a node of its tasks, and tells how far that is. */
import type { Express } from 'express';
import type { Snapshot } from '../../store/snapshot.ts';
import { notFound } from '../../wishes/errors.ts';
import type { Wishes } from '../../wishes/wishes.ts';
import { drainProgress } from './drain-view.ts';
import { nodeByReference } from './node-reference.ts';

export interface DrainRouteParts {
  snapshot(): Snapshot;
  readonly nodes: Pick<Wishes['nodes'], 'update'>;
}

/** `requireReady` throws while this coordinator cannot serve. */
export function addDrainRoutes(app: Express, parts: DrainRouteParts, requireReady: () => void): void {
  app.get('/v1/nodes/:node/drain', (request, response) => {
    requireReady();
    const { id } = nodeByReference(parts.snapshot(), request.params.node);
    response.json(drainProgress(parts.snapshot(), id));
  });
  app.post('/v1/nodes/:node/drain', async (request, response) => {
    requireReady();
    const { id } = nodeByReference(parts.snapshot(), request.params.node);
    await drain(parts, id);
    response.json(drainProgress(parts.snapshot(), id));
  });
}

/** Everything else the operator wishes of the node stays. */
async function drain(parts: DrainRouteParts, id: string): Promise<void> {
  const snapshot = parts.snapshot();
  const entry = snapshot.nodeSpecs.get(id);
  if (!entry) throw notFound('node', id);
  const { name, labels, role, availability } = entry.value;
  if (availability === 'drain') return;
  const isManager = snapshot.nodes.get(id)?.value.manager === true;
  const wish = { name, labels, role: isManager ? 'manager' : role, availability: 'drain' } as const;
  await parts.nodes.update(id, wish, entry.revision);
}
