/**
 * `plim.ask.<node>.image`: a node asks for an image that another node has. The stream that answers begins with the head as
 * a chunk of its own, then the archive as `docker save` writes it for the image's id.
 */
import { z } from 'zod';

export const ImageRequest = z.object({ reference: z.string().min(1).max(1024) });
export type ImageRequest = z.infer<typeof ImageRequest>;

export const ImageHead = z.object({
  /** The digest of the image's configuration, which names the digest of every layer: what the archive is checked by. */
  imageId: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** The hostname of the node it comes from. */
  from: z.string(),
});
export type ImageHead = z.infer<typeof ImageHead>;
