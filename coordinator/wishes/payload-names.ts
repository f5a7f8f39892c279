/** How secrets and configs begin: a claim on their name, then a record. Pure. */
import type { PayloadKind, PayloadRecord, PayloadSpec } from '../../model/payload.ts';
import type { Clock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import type { Claim } from './claims.ts';

/** Names are the same whatever their case. */
export function payloadNameClaim(kind: PayloadKind, name: string): Claim {
  return {
    key: `${kind}.${name.toLowerCase()}`,
    refusal: () => new PlimsollError('conflict', `${kind} ${name} already exists`),
  };
}

/** `sealed` is the content, sealed for `id`. */
export function newPayload(
  { clock }: { readonly clock: Clock },
  id: string,
  spec: PayloadSpec,
  sealed: string,
  version = 1,
): PayloadRecord {
  const nowMs = clock.wallMs();
  return { v: 1, id, spec, sealed, version, createdAtMs: nowMs, updatedAtMs: nowMs };
}
