/** `/secrets` and `/configs`: the same but for their names, and that a config's content is shown. */
import { type Response, Router } from 'express';
import { z } from 'zod';
import type { Entry } from '../../../bus/bus.ts';
import type { PayloadKind, PayloadRecord, PayloadSpec } from '../../../model/payload.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { unsupported } from '../../wishes/errors.ts';
import type { DockerApiParts } from './api-parts.ts';
import { isoTime } from './dates.ts';
import { type Filters, parseFilters, passes, passesLabels } from './filters.ts';
import { pathPart, queryText, queryVersion } from './query.ts';
import { payloadByReference } from './references.ts';
import { readJson } from './request-body.ts';
import { sendEmpty, sendJson } from './responses.ts';

const filterKeys = ['id', 'name', 'names', 'label'];

const DriverSpec = z.strictObject({
  Name: z.string().default(''),
  Options: z.record(z.string(), z.string()).optional(),
});

/** SecretSpec and ConfigSpec of the Engine API. */
const WireSpec = z.strictObject({
  Name: z.string().default(''),
  Labels: z.record(z.string(), z.string()).default({}),
  Data: z.base64().optional(),
  Driver: DriverSpec.optional(),
  Templating: DriverSpec.optional(),
});
type WireSpec = z.infer<typeof WireSpec>;

export function payloadRoutes(parts: DockerApiParts, kind: PayloadKind): Router {
  const router = Router();
  const table = (): Snapshot['secrets'] => parts.snapshot()[`${kind}s`];
  const found = (reference: string) => payloadByReference(table(), kind, reference);
  const wishes = parts.wishes.payloads[kind];
  const show = (entry: Entry<PayloadRecord>) =>
    payloadView(entry, kind === 'config' ? wishes.content(entry.value) : undefined);
  router.get(`/${kind}s`, (req, res) => {
    const filters = parseFilters(queryText(req, 'filters'), filterKeys);
    const wanted = [...table().values()].filter((entry) => isWanted(entry.value, filters));
    sendJson(res, 200, wanted.map(show));
  });
  router.post(`/${kind}s/create`, async (req, res) => {
    const wire = await readJson(req, WireSpec);
    sendCreated(res, await wishes.create(specOf(kind, wire), contentOf(wire) ?? Buffer.alloc(0)));
  });
  router.get(`/${kind}s/:reference`, (req, res) => sendJson(res, 200, show(found(pathPart(req, 'reference')))));
  router.post(`/${kind}s/:reference/update`, async (req, res) => {
    const version = queryVersion(req, kind);
    const wire = await readJson(req, WireSpec);
    const { id } = found(pathPart(req, 'reference')).value;
    await wishes.relabel(id, specOf(kind, wire), contentOf(wire), version);
    sendEmpty(res, 200);
  });
  router.delete(`/${kind}s/:reference`, async (req, res) => {
    await wishes.remove(found(pathPart(req, 'reference')).value.id);
    sendEmpty(res, 204);
  });
  return router;
}

function sendCreated(res: Response, id: string): void {
  sendJson(res, 201, { ID: id });
}

function specOf(kind: PayloadKind, { Name, Labels, Driver, Templating }: WireSpec): PayloadSpec {
  if (Driver?.Name) throw unsupported(`the ${kind} driver ${Driver.Name}`, 'Driver');
  if (!Templating?.Name) return { Name, Labels };
  if (Templating.Name !== 'golang') throw unsupported(`the template driver ${Templating.Name}`, 'Templating');
  return { Name, Labels, Templating: { Name: 'golang' } };
}

function contentOf({ Data }: WireSpec): Buffer | undefined {
  return Data === undefined ? undefined : Buffer.from(Data, 'base64');
}

function payloadView({ value, revision }: Entry<PayloadRecord>, content: Buffer | undefined): object {
  return {
    ID: value.id,
    Version: { Index: revision },
    CreatedAt: isoTime(value.createdAtMs),
    UpdatedAt: isoTime(value.updatedAtMs),
    Spec: {
      Name: value.spec.Name,
      Labels: value.spec.Labels,
      Data: content?.toString('base64'),
      Templating: value.spec.Templating,
    },
  };
}

/** `name` is a prefix and `names` exact, as in Swarm. */
function isWanted({ id, spec }: PayloadRecord, filters: Filters): boolean {
  return (
    passes(filters, 'id', (prefix) => id.startsWith(prefix)) &&
    passes(filters, 'name', (prefix) => spec.Name.startsWith(prefix)) &&
    passes(filters, 'names', (name) => spec.Name === name) &&
    passesLabels(filters, 'label', spec.Labels)
  );
}
