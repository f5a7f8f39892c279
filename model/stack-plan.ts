/** `POST /v1/plan`: what deploying a stack would change. The wish is what the docker CLI would send, word for word. */
import { z } from 'zod';
import { Id } from './record-format.ts';

const Named = z.object({ id: Id, name: z.string().min(1) });

export const StackWish = z.object({
  stack: z.string(),
  /** New ones, with ids services may refer to. */
  networks: z.array(Named),
  secrets: z.array(Named),
  configs: z.array(Named),
  /** `id` of a service that is there; absent = a new one. `spec` is the Engine API's ServiceSpec. */
  services: z.array(z.object({ id: z.string().optional(), spec: z.unknown() })),
  /** Services that would go. */
  removals: z.array(z.string()),
});
export type StackWish = z.infer<typeof StackWish>;

export const ServicePlan = z.object({
  name: z.string(),
  change: z.enum(['create', 'update', 'remove', 'none']),
  /** `path: before -> after` */
  differences: z.array(z.string()),
  /** Running tasks that would be replaced or end. */
  restarts: z.int(),
  /** How they are replaced: `2 at a time, start-first`. */
  order: z.string(),
  /** Where new tasks would go, as things are now. */
  placements: z.array(z.object({ node: z.string(), tasks: z.int() })),
  /** Why tasks would find no place, or why the cluster would refuse the service. */
  problems: z.array(z.string()),
});
export type ServicePlan = z.infer<typeof ServicePlan>;

export const StackPlan = z.object({
  stack: z.string(),
  /** Names of what would be made before the services. */
  networks: z.array(z.string()),
  secrets: z.array(z.string()),
  configs: z.array(z.string()),
  services: z.array(ServicePlan),
});
export type StackPlan = z.infer<typeof StackPlan>;
