/** `/v1/services/<name>/history` and `/rollback`: going back further than docker can. */
import type { Express } from 'express';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { liveServicesByName } from '../../store/live-services.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { notFound } from '../../wishes/errors.ts';
import type { Wishes } from '../../wishes/wishes.ts';
import { serviceHistory } from './service-history.ts';

export interface RevisionRouteParts {
  snapshot(): Snapshot;
  readonly services: Pick<Wishes['services'], 'rollbackTo'>;
}

/** `requireReady` throws while this coordinator cannot serve. */
export function addRevisionRoutes(app: Express, parts: RevisionRouteParts, requireReady: () => void): void {
  app.get('/v1/services/:name/history', (request, response) => {
    requireReady();
    response.json(serviceHistory(serviceNamed(parts.snapshot(), request.params.name)));
  });
  app.post('/v1/services/:name/rollback', async (request, response) => {
    requireReady();
    const to = Number(request.query.to);
    if (!Number.isInteger(to)) {
      throw new PlimsollError(
        'invalid',
        `to: must be the number of a revision, not ${JSON.stringify(request.query.to)}`,
      );
    }
    const { id, spec } = serviceNamed(parts.snapshot(), request.params.name);
    const { warnings } = await parts.services.rollbackTo(id, to);
    response.json({ name: spec.Name, revision: to, warnings });
  });
}

function serviceNamed(snapshot: Snapshot, reference: string): ServiceRecord {
  const found = liveServicesByName(snapshot).find(({ id, spec }) => id === reference || spec.Name === reference);
  if (found === undefined) throw notFound('service', reference);
  return found;
}
