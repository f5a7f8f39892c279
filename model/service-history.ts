/** What the native API answers about the revisions of a service. */
import { z } from 'zod';
import { Id } from './record-format.ts';

/** `GET /v1/services/<name>/history`: the last ten, the one that became current last at the end. */
export const ServiceHistory = z.object({
  id: Id,
  name: z.string(),
  revisions: z.array(
    z.object({
      number: z.int(),
      current: z.boolean(),
      image: z.string(),
      /** When it became current, by the wall clock. */
      sinceMs: z.number(),
      /** What differs from the one above it: `ContainerSpec.Image: web:1 -> web:2`. */
      changes: z.array(z.string()),
    }),
  ),
});
export type ServiceHistory = z.infer<typeof ServiceHistory>;

/** `POST /v1/services/<name>/rollback?to=<revision>` */
export const RollbackAnswer = z.object({ name: z.string(), revision: z.int(), warnings: z.array(z.string()) });
export type RollbackAnswer = z.infer<typeof RollbackAnswer>;
