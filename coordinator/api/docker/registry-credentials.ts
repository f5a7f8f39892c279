/** The `X-Registry-Auth` header. Credentials never reach a log; services keep them sealed. */
import type { Request } from 'express';
import { z } from 'zod';
import { ApiError } from './responses.ts';

const credentialFields = ['username', 'password', 'auth', 'identitytoken', 'registrytoken'];
const Credentials = z.record(z.string(), z.unknown());

/** The header as it came; undefined without credentials: an empty object (`e30=`) is what clients without any send. */
export function registryCredentials(req: Request): string | undefined {
  const header = req.headers['x-registry-auth'];
  if (typeof header !== 'string' || header === '') return undefined;
  const credentials = decoded(header);
  return credentialFields.some((field) => credentials[field]) ? header : undefined;
}

function decoded(header: string): z.infer<typeof Credentials> {
  try {
    return Credentials.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')));
  } catch {
    throw new ApiError(400, 'X-Registry-Auth: must be a JSON object in base64url');
  }
}
