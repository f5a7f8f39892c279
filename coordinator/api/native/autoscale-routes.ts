/** `/v1/autoscale`: what services that scale themselves do, and how they are told to. */
import type { Express } from 'express';
import type { Entry } from '../../../bus/bus.ts';
import { AutoscaleChange, type AutoscaleChanged } from '../../../model/autoscale-view.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { AUTOSCALE_AREA } from '../../autoscale/policy.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { notFound } from '../../wishes/errors.ts';
import type { Wishes } from '../../wishes/wishes.ts';
import { readJson } from '../docker/request-body.ts';
import { autoscaleView, autoscaleViews } from './autoscale-view.ts';

export interface AutoscaleRouteParts {
  snapshot(): Snapshot;
  readonly services: Pick<Wishes['services'], 'update'>;
}

/** `requireReady` throws while this coordinator cannot serve. */
export function addAutoscaleRoutes(app: Express, parts: AutoscaleRouteParts, requireReady: () => void): void {
  app.get('/v1/autoscale', (_request, response) => {
    requireReady();
    response.json(autoscaleViews(parts.snapshot()));
  });
  app.get('/v1/autoscale/:name', (request, response) => {
    requireReady();
    const { value } = serviceNamed(parts.snapshot(), request.params.name);
    const view = autoscaleView(parts.snapshot(), value);
    if (!view) throw new PlimsollError('not-found', `service ${value.spec.Name} does not scale itself`);
    response.json(view);
  });
  app.post('/v1/autoscale/:name', async (request, response) => {
    requireReady();
    const change = await readJson(request, AutoscaleChange);
    const { value, revision } = serviceNamed(parts.snapshot(), request.params.name);
    const wanted = { ...value.spec, Labels: withOptions(value.spec.Labels ?? {}, change) };
    const { warnings } = await parts.services.update(value.id, wanted, revision);
    const answer: AutoscaleChanged = { name: value.spec.Name, warnings };
    response.json(answer);
  });
}

function withOptions(
  labels: Readonly<Record<string, string>>,
  { set, remove }: AutoscaleChange,
): Record<string, string> {
  const kept = Object.entries(labels).filter(([label]) => !remove.some((name) => label === AUTOSCALE_AREA + name));
  const added = Object.entries(set).map(([name, value]) => [AUTOSCALE_AREA + name, value] as const);
  return Object.fromEntries([...kept, ...added]);
}

function serviceNamed({ services }: Snapshot, reference: string): Entry<ServiceRecord> {
  const isIt = ({ id, spec, removedAtMs }: ServiceRecord) =>
    removedAtMs === undefined && (id === reference || spec.Name === reference);
  const found = [...services.values()].find(({ value }) => isIt(value));
  if (found === undefined) throw notFound('service', reference);
  return found;
}
