/** `/services`, except their logs. */
import { Router } from 'express';
import { z } from 'zod';
import type { Entry } from '../../../bus/bus.ts';
import { modeName } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { ServiceSpec } from '../../../model/service-spec.ts';
import { liveServices } from '../../store/live-services.ts';
import type { DockerApiParts } from './api-parts.ts';
import { type Filters, parseFilters, passes, passesLabels } from './filters.ts';
import { pathPart, queryFlag, queryText, queryVersion } from './query.ts';
import { serviceByReference } from './references.ts';
import { registryCredentials } from './registry-credentials.ts';
import { readJson } from './request-body.ts';
import { sendEmpty, sendJson } from './responses.ts';
import { serviceView } from './service-view.ts';

const filterKeys = ['id', 'name', 'label', 'mode', 'runtime'];

/** A new service may come without a name: it is given one. */
const NewServiceSpec = ServiceSpec.extend({ Name: z.string().default('') });

/** Some clients repeat the query's parameters in the body. */
const UpdatedServiceSpec = ServiceSpec.extend({
  version: z.unknown().optional(),
  rollback: z.unknown().optional(),
  registryAuthFrom: z.unknown().optional(),
});

export function serviceRoutes(parts: DockerApiParts): Router {
  const router = Router();
  router.get('/services', (req, res) => {
    const snapshot = parts.snapshot();
    const filters = parseFilters(queryText(req, 'filters'), filterKeys);
    const options = { insertDefaults: queryFlag(req, 'insertDefaults'), status: queryFlag(req, 'status') };
    const found = liveServices(snapshot).filter((entry) => isWanted(entry, filters));
    sendJson(
      res,
      200,
      found.map((entry) => serviceView(snapshot, entry, options)),
    );
  });
  router.get('/services/:service', (req, res) => {
    const snapshot = parts.snapshot();
    const options = { insertDefaults: queryFlag(req, 'insertDefaults'), status: queryFlag(req, 'status') };
    sendJson(res, 200, serviceView(snapshot, serviceByReference(snapshot, pathPart(req, 'service')), options));
  });
  serviceWrites(router, parts);
  return router;
}

function serviceWrites(router: Router, parts: DockerApiParts): void {
  router.post('/services/create', async (req, res) => {
    const auth = registryCredentials(req);
    const { id, warnings } = await parts.wishes.services.create(await readJson(req, NewServiceSpec), auth);
    sendJson(res, 201, { ID: id, Warnings: warnings.length > 0 ? warnings : null });
  });
  router.post('/services/:service/update', async (req, res) => {
    const auth = registryCredentials(req);
    const version = queryVersion(req, 'service');
    const spec = ServiceSpec.strip().parse(await readJson(req, UpdatedServiceSpec));
    const { id } = serviceByReference(parts.snapshot(), pathPart(req, 'service')).value;
    const isRollback = queryText(req, 'rollback') === 'previous';
    const wishes = parts.wishes.services;
    const { warnings } = await (isRollback ? wishes.rollback(id, version) : wishes.update(id, spec, version, auth));
    sendJson(res, 200, { Warnings: warnings.length > 0 ? warnings : null });
  });
  router.delete('/services/:service', async (req, res) => {
    await parts.wishes.services.remove(serviceByReference(parts.snapshot(), pathPart(req, 'service')).value.id);
    sendEmpty(res, 200);
  });
}

function isWanted({ value: { id, spec } }: Entry<ServiceRecord>, filters: Filters): boolean {
  return (
    passes(filters, 'id', (prefix) => id.startsWith(prefix)) &&
    passes(filters, 'name', (prefix) => spec.Name.startsWith(prefix)) &&
    passes(filters, 'mode', (mode) => mode === modeName(spec)) &&
    passes(filters, 'runtime', (runtime) => runtime === 'container') &&
    passesLabels(filters, 'label', spec.Labels ?? {})
  );
}
