/** `/v1/secrets`: what the Engine API has no word for. */
import express, { type Express } from 'express';
import { z } from 'zod';
import { PlimsollError } from '../../../runtime/errors.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { notFound } from '../../wishes/errors.ts';
import type { Wishes } from '../../wishes/wishes.ts';

export interface SecretRouteParts {
  snapshot(): Snapshot;
  readonly payloads: Wishes['payloads'];
}

/** A secret of the largest size in base64, and its braces. */
const BODY_LIMIT = '1mb';

const RotateBody = z.object({ content: z.base64() });

/** `requireReady` throws while this coordinator cannot serve. */
export function addSecretRoutes(app: Express, parts: SecretRouteParts, requireReady: () => void): void {
  app.post('/v1/secrets/:name/rotate', express.json({ limit: BODY_LIMIT }), async (request, response) => {
    requireReady();
    const body = RotateBody.safeParse(request.body);
    if (!body.success) throw new PlimsollError('invalid', `content: must be the new secret in base64`);
    const id = secretId(parts.snapshot(), request.params.name);
    response.json(await parts.payloads.secret.rotate(id, Buffer.from(body.data.content, 'base64')));
  });
}

function secretId({ secrets }: Snapshot, reference: string): string {
  const found = [...secrets.values()].find(({ value }) => value.id === reference || value.spec.Name === reference);
  if (found === undefined) throw notFound('secret', reference);
  return found.value.id;
}
