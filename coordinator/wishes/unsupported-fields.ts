/** What the Engine API can say and Plimsoll cannot do yet: refused by name, before anything is written. Pure. */
import type { Mount, ServiceSpec, TaskTemplate } from '../../model/service-spec.ts';
import { unsupported } from './errors.ts';

/** Throws `unsupported`, naming the field as the Engine API spells it. */
export function refuseUnsupported(spec: ServiceSpec): void {
  refuseContainerFields(spec.TaskTemplate.ContainerSpec);
  for (const [index, mount] of (spec.TaskTemplate.ContainerSpec.Mounts ?? []).entries()) refuseMount(mount, index);
  const sctp = spec.EndpointSpec?.Ports?.some((port) => port.Protocol === 'sctp' && port.PublishMode === 'ingress');
  if (sctp) throw unsupported('SCTP ports in ingress mode', 'EndpointSpec.Ports');
}

function refuseContainerFields(container: TaskTemplate['ContainerSpec']): void {
  const at = (field: string) => `TaskTemplate.ContainerSpec.${field}`;
  if (container.Isolation && container.Isolation !== 'default') throw unsupported('isolation modes', at('Isolation'));
  if (container.Privileges?.CredentialSpec) {
    throw unsupported('credential specs (Windows only)', at('Privileges.CredentialSpec'));
  }
}

function refuseMount(mount: Mount, index: number): void {
  const at = `TaskTemplate.ContainerSpec.Mounts[${index}]`;
  if (mount.Type === 'npipe' || mount.Type === 'cluster' || mount.Type === 'image') {
    throw unsupported(`mounts of type ${mount.Type}`, `${at}.Type`);
  }
}
