import { expect, it } from 'vitest';
import { createSealingKeys, openSealed, sealFor } from '../../../../bus/identity/sealing.ts';
import { vaultOf } from '../../../../coordinator/payloads/vault.ts';

const content = Buffer.from('tops3cret');

it('a content at rest opens under its key and for its record only', () => {
  const vault = vaultOf(new Uint8Array(32).fill(7));
  const sealed = vault.seal('id1', content);

  expect(Buffer.from(vault.open('id1', sealed))).toEqual(content);
  expect(Buffer.from(sealed, 'base64').includes(content)).toBe(false);
  expect(vault.seal('id1', content)).not.toBe(sealed);
  expect(() => vault.open('id2', sealed)).toThrow(/Cannot open the content of id2/);
  expect(() => vaultOf(new Uint8Array(32)).open('id1', sealed)).toThrow(/another cluster key/);
});

it('a content on its way opens for the node it was sealed for only', () => {
  const [node, other] = [createSealingKeys(), createSealingKeys()];
  const sealed = sealFor(node.publicKey, content);

  expect(Buffer.from(openSealed(node.seed, sealed))).toEqual(content);
  expect(() => openSealed(other.seed, sealed)).toThrow(/not for this node/);
  expect(() => sealFor('no key', content)).toThrow(/it is no curve key/);
});
