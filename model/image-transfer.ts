/**
 * `plim.ask.<node>.image`: a node asks for an image that another node has. The stream that answers begins with the head as
 * a chunk of its own, then the archive as `docker save` writes it for the image's id.
 */
import { z } from 'zod';
import { Id } from './record-format.ts';

export const ImageRequest = z.object({ reference: z.string().min(1).max(1024) });
export type ImageRequest = z.infer<typeof ImageRequest>;

/** `plim.ask.<node>.registry-auth`: what the images of a task's service are pulled with. No chunk at all: there is nothing. */
export const RegistryAuthRequest = z.object({ taskId: Id, publicKey: z.string() });
export type RegistryAuthRequest = z.infer<typeof RegistryAuthRequest>;
/** The one chunk of the answer: X-Registry-Auth, sealed to the key of the request. */
export const SealedRegistryAuth = z.object({ sealed: z.string(), senderKey: z.string() });

export const ImageHead = z.object({
  /** The digest of the image's configuration, which names the digest of every layer: what the archive is checked by. */
  imageId: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** The hostname of the node it comes from. */
  from: z.string(),
});
export type ImageHead = z.infer<typeof ImageHead>;
