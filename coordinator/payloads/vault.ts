/** Secrets and configs at rest: AES-256-GCM under the cluster's key, which lies beside the coordinator and never in a bucket. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { PlimsollError } from '../../runtime/errors.ts';

export interface Vault {
  /** `id` is bound to it: a sealed content moved to another record does not open. */
  seal(id: string, content: Uint8Array): string;
  /** Throws `invalid` when it was sealed under another key or for another id. */
  open(id: string, sealed: string): Uint8Array;
  /** A password for a purpose: the same wherever the key is, and it tells neither the key nor another one. */
  tokenOf(purpose: string): string;
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TOKEN_BYTES = 32;

/** `secret`: 32 bytes. */
export function vaultOf(secret: Uint8Array): Vault {
  return {
    seal: (id, content) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, secret, nonce).setAAD(Buffer.from(id));
      const body = Buffer.concat([cipher.update(content), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    open: (id, sealed) => {
      const bytes = Buffer.from(sealed, 'base64');
      const [nonce, tag] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)];
      try {
        const options = { authTagLength: TAG_BYTES };
        const decipher = createDecipheriv(ALGORITHM, secret, nonce, options).setAAD(Buffer.from(id)).setAuthTag(tag);
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      } catch (error) {
        throw new PlimsollError(
          'invalid',
          `Cannot open the content of ${id}: it was sealed under another cluster key; restore <state-dir>/cluster from a backup`,
          { cause: error },
        );
      }
    },
    tokenOf: (purpose) => Buffer.from(hkdfSync('sha256', secret, '', purpose, TOKEN_BYTES)).toString('base64url'),
  };
}
