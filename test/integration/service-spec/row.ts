/** One line of the table: what a user can say of a service, and where it is seen that Plimsoll does it. */
import { z } from 'zod';
import type { ServiceSpec } from '../../../model/service-spec.ts';

/** What `docker inspect` on the node says of the container. */
export const InspectedContainer = z.object({
  Config: z.looseObject({}),
  HostConfig: z.looseObject({ Mounts: z.array(z.looseObject({ Target: z.string() })).default([]) }),
});
export type InspectedContainer = z.infer<typeof InspectedContainer>;

export type Proof =
  /** A value of the container on the node. */
  | { readonly seen: (container: InspectedContainer) => unknown; readonly is: unknown }
  /** What a shell in the container prints. */
  | { readonly inside: string; readonly prints: string }
  /** A rule the coordinator plans by: there is nothing of it in a container. */
  | { readonly rule: (spec: ServiceSpec) => unknown; readonly is: unknown }
  /** Refused: part of the sentence, which names it. */
  | { readonly refused: string }
  /** Never reaches the API. */
  | { readonly clientOnly: string }
  /** A test of its own: the file, which must speak of it. */
  | { readonly elsewhere: string };

export interface Row {
  /** `--env`; absent for fields the CLI has no flag for. */
  readonly flag?: string;
  /** Paths in the Engine API's ServiceSpec that it sets. */
  readonly fields: readonly string[];
  /** Words of the command line, `%dir%` standing for the test's folder. */
  readonly given?: readonly string[];
  /** Services of other names hold what cannot be said beside the rest. */
  readonly service?: string;
  readonly proof: Proof;
}

export const container = (...names: readonly string[]): string[] =>
  names.map((name) => `TaskTemplate.ContainerSpec.${name}`);

export const genericReservations = 'TaskTemplate.Resources.Reservations.GenericResources[]';

/** A value of the container's configuration: `Config.Env` or `HostConfig.CapAdd`. */
export function config(path: string): (container: InspectedContainer) => unknown {
  const read = (value: unknown, key: string): unknown => new Map(Object.entries(Object(value))).get(key);
  return (inspected) => path.split('.').reduce(read, inspected);
}

/** The mount at a place of the container, as it was asked of the engine. */
export function mountAt(target: string): (container: InspectedContainer) => unknown {
  return ({ HostConfig }) => HostConfig.Mounts.find((mount) => mount.Target === target);
}
