/** What a host has that Docker has no word for (GPUs, licences): advertised by its engine as `node-generic-resources`. */
import { z } from 'zod';

/** One kind a host has: a number of them, or some with names of their own (then `count` is how many names there are). */
export const GenericResource = z.object({ kind: z.string(), count: z.int().min(0), names: z.array(z.string()) });
export type GenericResource = z.infer<typeof GenericResource>;
