/** The networks a service asks for: checked, and names turned into ids, as Swarm stores them. Pure. */
import type { NetworkRecord } from '../../model/network-records.ts';
import type { NetworkAttachment, ServiceSpec } from '../../model/service-spec.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { invalid, notFound, unsupported } from './errors.ts';
import { predefinedNetworks } from './network-rules.ts';

/** Throws for what no cluster could honour, whatever networks it has. */
export function checkServiceNetworks(spec: ServiceSpec): void {
  if (spec.Networks?.length) throw unsupported('networks of services', 'Networks');
  const attachments = spec.TaskTemplate.Networks ?? [];
  for (const attachment of attachments) checkAttachment(attachment);
  const own = attachments.map(({ Target }) => Target).filter((target) => predefinedNetworks.includes(target));
  if (own.length > 0 && attachments.length > 1) {
    throw unsupported(`the network ${own[0]} beside others`, 'TaskTemplate.Networks');
  }
  if (own.length > 0 && own[0] !== 'bridge' && spec.EndpointSpec?.Ports?.length) {
    throw unsupported(`published ports on the network ${own[0]}`, 'EndpointSpec.Ports');
  }
}

function checkAttachment({ Target, Aliases, DriverOpts }: NetworkAttachment): void {
  if (Aliases?.length && predefinedNetworks.includes(Target)) {
    throw unsupported(`aliases on the network ${Target}`, 'TaskTemplate.Networks.Aliases');
  }
  for (const alias of Aliases ?? []) {
    const isName = alias.length <= 253 && alias.split('.').every((label) => /^[\w-]{1,63}$/.test(label));
    if (!isName) throw invalid(`TaskTemplate.Networks.Aliases: "${alias}" is not a DNS name`);
  }
  if (Object.keys(DriverOpts ?? {}).length > 0) {
    throw unsupported(`driver options on the network ${Target}`, 'TaskTemplate.Networks.DriverOpts');
  }
}

/** The specification with ids in place of names. Throws `not-found` for a network there is not. */
export function withNetworkIds(spec: ServiceSpec, networks: Snapshot['networks']): ServiceSpec {
  const attachments = spec.TaskTemplate.Networks;
  if (!attachments?.length) return spec;
  const byTarget = new Map<string, NetworkAttachment>();
  for (const attachment of attachments) {
    const Target = idOf(attachment.Target, networks);
    byTarget.set(Target, { ...attachment, Target });
  }
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, Networks: [...byTarget.values()] } };
}

function idOf(target: string, networks: Snapshot['networks']): string {
  if (predefinedNetworks.includes(target) || networks.has(target)) return target;
  const named = [...networks.values()].find(({ value }: { value: NetworkRecord }) => value.name === target);
  if (named === undefined) throw notFound('network', target);
  return named.value.id;
}
