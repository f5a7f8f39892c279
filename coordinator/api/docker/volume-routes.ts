/**
 * `/volumes`: those of all nodes, named `<node>/<volume>`, and those made on the cluster that no node has yet. A plain name
 * means the volume wherever it is, as long as that is one place.
 */
import { randomBytes } from 'node:crypto';
import { Router } from 'express';
import { z } from 'zod';
import type { VolumeRecord } from '../../../model/volume-record.ts';
import { liveServices } from '../../store/live-services.ts';
import { hostnameOf } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { unsupported } from '../../wishes/errors.ts';
import type { DockerApiParts } from './api-parts.ts';
import { isoTime } from './dates.ts';
import { type Filters, parseFilters, passes, passesLabels } from './filters.ts';
import { pathPart, queryFlag, queryText } from './query.ts';
import { nodeByReference } from './references.ts';
import { readJson } from './request-body.ts';
import { ApiError, sendEmpty, sendJson } from './responses.ts';
import { findVolumes, listVolumes, type NodeVolume, removeVolume } from './volume-lookup.ts';

const filterKeys = ['name', 'driver', 'label', 'dangling'];

const Labels = z.record(z.string(), z.string());
const VolumeBody = z.strictObject({
  Name: z.string().default(''),
  Driver: z.string().default('local'),
  DriverOpts: Labels.default({}),
  Labels: Labels.default({}),
  ClusterVolumeSpec: z.unknown().optional(),
});

export function volumeRoutes(parts: DockerApiParts): Router {
  const router = Router();
  router.get('/volumes', async (req, res) => {
    const text = queryText(req, 'filters');
    const filters = parseFilters(text, filterKeys);
    const query = text === undefined ? '' : `filters=${encodeURIComponent(text)}`;
    const { volumes, warnings } = await listVolumes(parts, query);
    const shown = volumes.map((volume) => nodeVolumeView(parts.snapshot(), volume));
    const waiting = recordsWithoutCopy(parts.snapshot(), volumes).filter((record) =>
      isWanted(parts.snapshot(), record, filters),
    );
    const Volumes = [...shown, ...waiting.map((record) => recordView(record))];
    sendJson(res, 200, { Volumes, Warnings: warnings.length > 0 ? warnings : null });
  });
  router.post('/volumes/create', async (req, res) => {
    const body = await readJson(req, VolumeBody);
    if (body.ClusterVolumeSpec !== undefined) throw unsupported('cluster volumes of CSI drivers', 'ClusterVolumeSpec');
    const name = body.Name === '' ? randomBytes(32).toString('hex') : body.Name;
    const wish = { name, driver: body.Driver, options: body.DriverOpts, labels: body.Labels };
    sendJson(res, 201, recordView(await parts.wishes.volumes.create(wish)));
  });
  router.get('/volumes/*name', async (req, res) => {
    sendJson(res, 200, await inspect(parts, pathPart(req, 'name')));
  });
  router.delete('/volumes/*name', async (req, res) => {
    await remove(parts, pathPart(req, 'name'), queryFlag(req, 'force'));
    sendEmpty(res, 204);
  });
  return router;
}

interface Found {
  readonly name: string;
  readonly copies: readonly NodeVolume[];
  /** Only a plain name means the cluster's. */
  readonly record: VolumeRecord | undefined;
}

async function find(parts: DockerApiParts, reference: string): Promise<Found> {
  const snapshot = parts.snapshot();
  const slash = reference.indexOf('/');
  if (slash < 0) {
    const record = recordNamed(snapshot, reference);
    return { name: reference, copies: await findVolumes(parts, reference), record };
  }
  const name = reference.slice(slash + 1);
  const { id } = nodeByReference(snapshot, reference.slice(0, slash)).value;
  return { name, copies: await findVolumes(parts, name, [id]), record: undefined };
}

async function inspect(parts: DockerApiParts, reference: string): Promise<object> {
  const { copies, record } = await find(parts, reference);
  const [first] = copies;
  if (copies.length === 1 && first !== undefined) return nodeVolumeView(parts.snapshot(), first);
  if (record !== undefined) return recordView(record, namesOf(parts, copies));
  if (first !== undefined) throw ambiguous(parts, reference, copies);
  throw new ApiError(404, `get ${reference}: no such volume`);
}

async function remove(parts: DockerApiParts, reference: string, force: boolean): Promise<void> {
  const { name, copies, record } = await find(parts, reference);
  if (copies.length === 0 && record === undefined) {
    if (force) return;
    throw new ApiError(404, `get ${reference}: no such volume`);
  }
  if (copies.length > 1 && record === undefined) throw ambiguous(parts, reference, copies);
  const users = record === undefined ? [] : servicesMounting(parts.snapshot(), name);
  if (users.length > 0) throw new ApiError(409, `remove ${name}: volume is in use - [${users.join(', ')}]`);
  for (const copy of copies) await removeVolume(parts, copy, force);
  if (record !== undefined) await parts.wishes.volumes.remove(record.id);
}

function ambiguous(parts: DockerApiParts, name: string, copies: readonly NodeVolume[]): ApiError {
  const names = namesOf(parts, copies);
  return new ApiError(
    400,
    `volume ${name} is ambiguous (${names.length} matches found): name one of ${names.join(', ')}`,
  );
}

function namesOf(parts: DockerApiParts, copies: readonly NodeVolume[]): string[] {
  return copies.map(({ nodeId, volume }) => `${hostnameOf(parts.snapshot(), nodeId)}/${volume.Name}`);
}

function recordNamed({ volumes }: Snapshot, name: string): VolumeRecord | undefined {
  return [...volumes.values()].find(({ value }) => value.name === name)?.value;
}

function recordsWithoutCopy({ volumes }: Snapshot, copies: readonly NodeVolume[]): VolumeRecord[] {
  const made = new Set(copies.map(({ volume }) => volume.Name));
  return [...volumes.values()].map(({ value }) => value).filter(({ name }) => !made.has(name));
}

function isWanted(snapshot: Snapshot, record: VolumeRecord, filters: Filters): boolean {
  const isDangling = servicesMounting(snapshot, record.name).length === 0;
  return (
    passes(filters, 'name', (part) => record.name.includes(part)) &&
    passes(filters, 'driver', (driver) => record.driver === driver) &&
    passes(filters, 'dangling', (value) => isDangling === ['1', 'true'].includes(value)) &&
    passesLabels(filters, 'label', record.labels)
  );
}

function servicesMounting(snapshot: Snapshot, name: string): string[] {
  const mounts = (service: ReturnType<typeof liveServices>[number]) =>
    service.value.spec.TaskTemplate.ContainerSpec.Mounts?.some(
      ({ Type, Source }) => Type === 'volume' && Source === name,
    );
  return liveServices(snapshot)
    .filter(mounts)
    .map(({ value }) => value.spec.Name);
}

function nodeVolumeView(snapshot: Snapshot, { nodeId, volume }: NodeVolume): object {
  return { ...volume, Name: `${hostnameOf(snapshot, nodeId)}/${volume.Name}` };
}

/** `copies`: where it is, when on several nodes. */
function recordView(
  { name, driver, options, labels, createdAtMs }: VolumeRecord,
  copies: readonly string[] = [],
): object {
  return {
    Name: name,
    Driver: driver,
    Options: options,
    Labels: labels,
    Mountpoint: '',
    Scope: 'global',
    CreatedAt: isoTime(createdAtMs),
    ...(copies.length > 0 && { Status: { Volumes: copies } }),
  };
}
