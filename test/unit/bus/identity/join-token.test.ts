import { describe, expect, test } from 'vitest';
import { certificateFingerprint, createAuthority } from '../../../../bus/identity/certificates.ts';
import { formatJoinToken, parseJoinToken } from '../../../../bus/identity/join-token.ts';
import { createClusterKeys, publicKeyOf } from '../../../../bus/identity/keys.ts';
import { randomId } from '../../../../runtime/identifiers.ts';

async function aToken() {
  const clusterId = randomId();
  const keys = createClusterKeys();
  const authority = await createAuthority(clusterId, 0);
  return {
    clusterId,
    authorityFingerprint: certificateFingerprint(authority.certificatePem),
    accountPublicKey: publicKeyOf(keys.accountSeed),
    signingSeed: keys.joinSigningSeed,
  };
}

describe('a join token', () => {
  test('is read as it was written, spaces around it aside', async () => {
    const token = await aToken();

    expect(parseJoinToken(`  ${formatJoinToken(token)}\n`)).toEqual(token);
  });

  test('that is cut, mixed up or of another program is refused without being repeated', async () => {
    const text = formatJoinToken(await aToken());
    const damaged = [
      text.slice(0, -1),
      `${text}-x`,
      text.replace('PLIM-1', 'PLIM-2'),
      text.toLowerCase(),
      'SWMTKN-1-a-b',
      '',
    ];

    for (const wrong of damaged) {
      expect(() => parseJoinToken(wrong)).toThrow(/^This is no join token; it looks like PLIM-1-\.\.\. and/);
    }
  });
});
