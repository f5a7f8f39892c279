/** plim_spec: the services and their revisions. */
import { z } from 'zod';
import { FormatVersion, Id, TimeMs } from './record-format.ts';
import { EndpointSpec, PortConfig, ServiceSpec, TaskTemplate } from './service-spec.ts';

export const Revision = z.object({
  /** Counts up per service; a specification that was there before gets its old number back. */
  number: z.int().min(1),
  taskTemplate: TaskTemplate,
  endpointSpec: EndpointSpec.optional(),
  createdAtMs: TimeMs,
});
export type Revision = z.infer<typeof Revision>;

/** `service.<id>`. The Engine API's Version.Index is the bus revision of this record. */
export const ServiceRecord = z.object({
  v: FormatVersion,
  id: Id,
  spec: ServiceSpec,
  previousSpec: ServiceSpec.optional(),
  /** The revision tasks should run. Scaling and labels make no new one. */
  revision: z.int().min(1),
  /** The last 10, newest last, the current one included. */
  revisions: z.array(Revision),
  /** Ports with every number settled (unset ones from 30000-32767). */
  ports: z.array(PortConfig),
  createdAtMs: TimeMs,
  updatedAtMs: TimeMs,
  /** X-Registry-Auth its images are pulled with, under the cluster's key; no node's record holds it. */
  registryAuth: z.string().optional(),
  /** How the current revision came to be: a rollback is a roll-out with other words and knobs. */
  change: z.enum(['create', 'update', 'rollback']),
  /** Set by the removal of the service: its tasks are to be stopped, then this record goes. Absence alone stops nothing. */
  removedAtMs: TimeMs.optional(),
});
export type ServiceRecord = z.infer<typeof ServiceRecord>;
