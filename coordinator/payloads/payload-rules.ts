/** What a secret or config must be. Sentences and limits are Swarm's. Pure. */
import type { PayloadKind, PayloadSpec } from '../../model/payload.ts';
import { invalid } from '../wishes/errors.ts';

/** A content has fewer bytes than this. */
export const payloadLimitBytes: Readonly<Record<PayloadKind, number>> = { secret: 500 * 1024, config: 1000 * 1024 };

/** Throws `invalid`. */
export function checkPayload(kind: PayloadKind, spec: PayloadSpec, content: Uint8Array): void {
  checkName(spec.Name);
  const limit = payloadLimitBytes[kind];
  if (content.length === 0 || content.length >= limit) {
    throw invalid(`${kind} data must be larger than 0 and less than ${limit} bytes`);
  }
}

function checkName(name: string): void {
  if (name === '') throw invalid('meta: name must be provided');
  if (name.length > 64 || !/^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$/.test(name)) {
    throw invalid(
      'invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]',
    );
  }
}
