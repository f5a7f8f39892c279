/** Sealing for one reader: X25519 and XSalsa20-Poly1305 as NATS' curve keys do it. Text is base64. */
import { createCurve, fromCurveSeed } from '@nats-io/nkeys';
import { PlimsollError } from '../../runtime/errors.ts';

/** A curve key pair as text; the seed never leaves the host it was made on. */
export interface SealingKeys {
  readonly seed: string;
  readonly publicKey: string;
}

export interface Sealed {
  readonly sealed: string;
  readonly senderKey: string;
}

export function createSealingKeys(): SealingKeys {
  const pair = createCurve();
  return { seed: new TextDecoder().decode(pair.getSeed()), publicKey: pair.getPublicKey() };
}

/** Only the holder of `publicKey`'s seed can open it; the sender's own key is made for this once. Throws `invalid`. */
export function sealFor(publicKey: string, content: Uint8Array): Sealed {
  const sender = createCurve();
  try {
    const sealed = sender.seal(content, publicKey);
    return { sealed: Buffer.from(sealed).toString('base64'), senderKey: sender.getPublicKey() };
  } catch (error) {
    throw new PlimsollError('invalid', `Cannot seal for the key "${publicKey}": it is no curve key`, { cause: error });
  } finally {
    sender.clear();
  }
}

/** Throws `invalid` when it was sealed for another key or was changed on the way. */
export function openSealed(seed: string, { sealed, senderKey }: Sealed): Uint8Array {
  const opened = fromCurveSeed(new TextEncoder().encode(seed)).open(Buffer.from(sealed, 'base64'), senderKey);
  if (opened) return opened;
  throw new PlimsollError(
    'invalid',
    'Cannot open a sealed content: it is not for this node, or was changed on the way',
  );
}
