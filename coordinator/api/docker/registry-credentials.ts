/** The `X-Registry-Auth` header. Credentials never reach a log; there is nowhere to keep them yet, so they are refused. */
import type { Request } from 'express';
import { z } from 'zod';
import { ApiError } from './responses.ts';

const credentialFields = ['username', 'password', 'auth', 'identitytoken', 'registrytoken'];
const Credentials = z.record(z.string(), z.unknown());

/** Throws ApiError 501 when the request brings credentials; an empty object (`e30=`) is what clients without any send. */
export function refuseRegistryCredentials(req: Request): void {
  const header = req.headers['x-registry-auth'];
  if (typeof header !== 'string' || header === '') return;
  if (credentialFields.some((field) => decoded(header)[field])) {
    throw new ApiError(
      501,
      'Plimsoll does not support registry credentials yet (--with-registry-auth): log in on the nodes',
    );
  }
}

function decoded(header: string): z.infer<typeof Credentials> {
  try {
    return Credentials.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')));
  } catch {
    throw new ApiError(400, 'X-Registry-Auth: must be a JSON object in base64url');
  }
}
