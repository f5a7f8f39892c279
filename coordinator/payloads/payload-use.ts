/** Which services refer to which secrets and configs. Pure. */
import type { PayloadKind } from '../../model/payload.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { ContainerSpec, ServiceSpec, TaskTemplate } from '../../model/service-spec.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** A reference as both kinds have it in common. */
export interface PayloadReference {
  readonly kind: PayloadKind;
  readonly id: string;
  readonly name: string;
}

export function payloadReferences({ Secrets = [], Configs = [] }: ContainerSpec): PayloadReference[] {
  return [
    ...Secrets.map(({ SecretID, SecretName }) => ({ kind: 'secret', id: SecretID, name: SecretName }) as const),
    ...Configs.map(({ ConfigID, ConfigName }) => ({ kind: 'config', id: ConfigID, name: ConfigName }) as const),
  ];
}

export function refersTo(template: TaskTemplate, kind: PayloadKind, id: string): boolean {
  return payloadReferences(template.ContainerSpec).some((reference) => reference.kind === kind && reference.id === id);
}

/** Services that refer to it now, by name; removed ones do not count. */
export function usersOf(snapshot: Snapshot, kind: PayloadKind, id: string): ServiceRecord[] {
  const services = [...snapshot.services.values()].map((entry) => entry.value);
  return services
    .filter(({ removedAtMs, spec }) => removedAtMs === undefined && refersTo(spec.TaskTemplate, kind, id))
    .sort((a, b) => (a.spec.Name < b.spec.Name ? -1 : 1));
}

/** The specification with every reference to `from` as one to `to`; targets stay as they are. */
export function withReference(
  spec: ServiceSpec,
  from: PayloadReference,
  to: { id: string; name: string },
): ServiceSpec {
  const { ContainerSpec } = spec.TaskTemplate;
  const container: ContainerSpec = { ...ContainerSpec };
  if (from.kind === 'secret' && container.Secrets) {
    container.Secrets = container.Secrets.map((one) =>
      one.SecretID === from.id ? { ...one, SecretID: to.id, SecretName: to.name } : one,
    );
  }
  if (from.kind === 'config' && container.Configs) {
    container.Configs = container.Configs.map((one) =>
      one.ConfigID === from.id ? { ...one, ConfigID: to.id, ConfigName: to.name } : one,
    );
  }
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: container } };
}
