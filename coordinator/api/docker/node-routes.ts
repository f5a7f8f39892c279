/** `/nodes`. */
import { Router } from 'express';
import { z } from 'zod';
import type { Entry } from '../../../bus/bus.ts';
import type { NodeSpecRecord } from '../../../model/node-record.ts';
import { hostnameOf } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { DockerApiParts } from './api-parts.ts';
import { type Filters, parseFilters, passes, passesLabels } from './filters.ts';
import { nodeView } from './node-view.ts';
import { pathPart, queryFlag, queryText, queryVersion } from './query.ts';
import { nodeByReference } from './references.ts';
import { readJson } from './request-body.ts';
import { sendEmpty, sendJson } from './responses.ts';

const filterKeys = ['id', 'name', 'label', 'node.label', 'role', 'membership'];

const NodeSpec = z.strictObject({
  Name: z.string().optional(),
  Labels: z.record(z.string(), z.string()).default({}),
  Role: z.enum(['worker', 'manager']),
  Availability: z.enum(['active', 'pause', 'drain']),
});

export function nodeRoutes(parts: DockerApiParts): Router {
  const router = Router();
  router.get('/nodes', (req, res) => {
    const snapshot = parts.snapshot();
    const filters = parseFilters(queryText(req, 'filters'), filterKeys);
    const found = [...snapshot.nodeSpecs.values()].filter((entry) => isWanted(snapshot, entry, filters));
    sendJson(
      res,
      200,
      found.map((entry) => nodeView(snapshot, entry, parts)),
    );
  });
  router.get('/nodes/:node', (req, res) => {
    const snapshot = parts.snapshot();
    const node = nodeByReference(snapshot, pathPart(req, 'node'));
    sendJson(res, 200, nodeView(snapshot, node, parts));
  });
  router.post('/nodes/:node/update', async (req, res) => {
    const version = queryVersion(req, 'node');
    const spec = await readJson(req, NodeSpec);
    const { value } = nodeByReference(parts.snapshot(), pathPart(req, 'node'));
    const wish = { name: spec.Name, labels: spec.Labels, role: spec.Role, availability: spec.Availability };
    await parts.wishes.nodes.update(value.id, wish, version);
    sendEmpty(res, 200);
  });
  router.delete('/nodes/:node', async (req, res) => {
    const { value } = nodeByReference(parts.snapshot(), pathPart(req, 'node'));
    await parts.wishes.nodes.remove(value.id, queryFlag(req, 'force'));
    sendEmpty(res, 200);
  });
  return router;
}

function isWanted(snapshot: Snapshot, { value: spec }: Entry<NodeSpecRecord>, filters: Filters): boolean {
  const node = snapshot.nodes.get(spec.id)?.value;
  const role = node?.manager ? 'manager' : spec.role;
  return (
    passes(filters, 'id', (prefix) => spec.id.startsWith(prefix)) &&
    passes(filters, 'name', (prefix) => hostnameOf(snapshot, spec.id).startsWith(prefix)) &&
    passes(filters, 'role', (wanted) => wanted === role) &&
    passes(filters, 'membership', (wanted) => wanted === 'accepted') &&
    passesLabels(filters, 'label', node?.engine.labels ?? {}) &&
    passesLabels(filters, 'node.label', spec.labels)
  );
}
