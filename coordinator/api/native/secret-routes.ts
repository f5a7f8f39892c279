/** `/v1/secrets`: what the Engine API has no word for. */
import type { Express } from 'express';
import { z } from 'zod';
import type { Snapshot } from '../../store/snapshot.ts';
import { notFound } from '../../wishes/errors.ts';
import type { Wishes } from '../../wishes/wishes.ts';
import { readJson } from '../docker/request-body.ts';

export interface SecretRouteParts {
  snapshot(): Snapshot;
  readonly payloads: Wishes['payloads'];
}

const RotateBody = z.object({ content: z.base64('must be the new secret in base64') });

/** `requireReady` throws while this coordinator cannot serve. */
export function addSecretRoutes(app: Express, parts: SecretRouteParts, requireReady: () => void): void {
  app.post('/v1/secrets/:name/rotate', async (request, response) => {
    requireReady();
    const { content } = await readJson(request, RotateBody);
    const id = secretId(parts.snapshot(), request.params.name);
    response.json(await parts.payloads.secret.rotate(id, Buffer.from(content, 'base64')));
  });
}

/** Throws `not-found`. */
export function secretId({ secrets }: Snapshot, reference: string): string {
  const all = [...secrets.values()];
  const named = all.find(({ value }) => value.id === reference || value.spec.Name === reference);
  // Where a rotation broke off, the name may have no secret yet.
  const found = named ?? all.find(({ value }) => value.successor?.name === reference);
  if (found === undefined) throw notFound('secret', reference);
  return found.value.id;
}
