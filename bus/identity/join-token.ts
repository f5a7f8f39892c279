/** The line `plim token` prints: which cluster, how to know its servers, and the key that may ask to be let in. Pure. */
import { z } from 'zod';
import { Id } from '../../model/record-format.ts';
import { PlimsollError } from '../../runtime/errors.ts';

export const JoinToken = z.object({
  clusterId: Id,
  /** SHA-256 of the authority's certificate, hexadecimal. */
  authorityFingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  /** The account users are issued for. */
  accountPublicKey: z.string().regex(/^A[A-Z2-7]{55}$/),
  /** Seed of the key that signs users which may only ask to be let in. */
  signingSeed: z.string().regex(/^SA[A-Z2-7]{56}$/),
});
export type JoinToken = z.infer<typeof JoinToken>;

const PREFIX = 'PLIM-1';

export function formatJoinToken(token: JoinToken): string {
  return [PREFIX, token.clusterId, token.authorityFingerprint, token.accountPublicKey, token.signingSeed].join('-');
}

/** Throws `invalid`, never repeating the token: it is a secret. */
export function parseJoinToken(text: string): JoinToken {
  const [word, version, clusterId, authorityFingerprint, accountPublicKey, signingSeed, ...rest] = text
    .trim()
    .split('-');
  const parsed = JoinToken.safeParse({ clusterId, authorityFingerprint, accountPublicKey, signingSeed });
  if (`${word}-${version}` === PREFIX && parsed.success && rest.length === 0) return parsed.data;
  throw new PlimsollError('invalid', `This is no join token; it looks like ${PREFIX}-... and "plim token" prints it`);
}
