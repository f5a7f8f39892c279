/** What the Engine API can say and Plimsoll cannot do yet: refused by name, before anything is written. Pure. */
import type { Mount, ServiceSpec, TaskTemplate } from '../../model/service-spec.ts';
import { unsupported } from './errors.ts';

const predefinedNetworks = ['bridge', 'host', 'none'];

/** Throws `unsupported`, naming the field as the Engine API spells it. */
export function refuseUnsupported(spec: ServiceSpec): void {
  refuseNetworks(spec);
  refuseContainerFields(spec.TaskTemplate.ContainerSpec);
  refuseResources(spec.TaskTemplate);
  for (const [index, mount] of (spec.TaskTemplate.ContainerSpec.Mounts ?? []).entries()) refuseMount(mount, index);
  const sctp = spec.EndpointSpec?.Ports?.some((port) => port.Protocol === 'sctp' && port.PublishMode === 'ingress');
  if (sctp) throw unsupported('SCTP ports in ingress mode', 'EndpointSpec.Ports');
}

/** Only the engine's own networks, one at a time; on the host's network there is nothing to forward a port to. */
function refuseNetworks(spec: ServiceSpec): void {
  if (spec.Networks?.length) throw unsupported('networks of services', 'Networks');
  const attachments = spec.TaskTemplate.Networks ?? [];
  const targets = attachments.map((network) => network.Target);
  if (targets.some((target) => !predefinedNetworks.includes(target)) || targets.length > 1) {
    throw unsupported(
      `the networks ${targets.join(', ')}: one of ${predefinedNetworks.join(', ')}`,
      'TaskTemplate.Networks',
    );
  }
  for (const { Target, Aliases, DriverOpts } of attachments) {
    if (Aliases?.length) throw unsupported(`aliases on the network ${Target}`, 'TaskTemplate.Networks.Aliases');
    if (Object.keys(DriverOpts ?? {}).length > 0) {
      throw unsupported(`driver options on the network ${Target}`, 'TaskTemplate.Networks.DriverOpts');
    }
  }
  if (targets.length > 0 && targets[0] !== 'bridge' && spec.EndpointSpec?.Ports?.length) {
    throw unsupported(`published ports on the network ${targets[0]}`, 'EndpointSpec.Ports');
  }
}

function refuseContainerFields(container: TaskTemplate['ContainerSpec']): void {
  const at = (field: string) => `TaskTemplate.ContainerSpec.${field}`;
  if (container.Secrets?.length) throw unsupported('secrets', at('Secrets'));
  if (container.Configs?.length) throw unsupported('configs', at('Configs'));
  if (container.Isolation && container.Isolation !== 'default') throw unsupported('isolation modes', at('Isolation'));
  if (container.Privileges?.CredentialSpec) {
    throw unsupported('credential specs (Windows only)', at('Privileges.CredentialSpec'));
  }
}

function refuseResources({ Resources }: TaskTemplate): void {
  if (Resources?.Reservations?.GenericResources?.length) {
    throw unsupported('generic resources', 'TaskTemplate.Resources.Reservations.GenericResources');
  }
}

function refuseMount(mount: Mount, index: number): void {
  const at = `TaskTemplate.ContainerSpec.Mounts[${index}]`;
  if (mount.Type === 'npipe' || mount.Type === 'cluster' || mount.Type === 'image') {
    throw unsupported(`mounts of type ${mount.Type}`, `${at}.Type`);
  }
}
