/** A create request with a container's places on networks of the cluster put in. Pure. */
import { networkLabels } from '../model/network-labels.ts';
import type { ContainerRequest } from './container-spec.ts';
import { endpointConfig } from './engine/docker-networks.ts';
import { addressesText } from './network/overlay/addresses.ts';
import type { Attachment } from './network/overlay/overlay.ts';

/**
 * Engines before 25 take one network at creation: the others are connected before the start. Names are looked up at the
 * bridges' own addresses; resolvers the user named are asked by ours.
 */
export function withAttachments(request: ContainerRequest, attachments: readonly Attachment[]): ContainerRequest {
  const [first] = attachments;
  if (first === undefined) return request;
  const { HostConfig, Labels, ...body } = request.body;
  const labels = { ...record(Labels), [networkLabels.addresses]: addressesText(attachments) };
  const hostConfig = {
    ...record(HostConfig),
    NetworkMode: first.engineNetwork,
    Dns: attachments.map(({ gateway }) => gateway),
    Sysctls: { ...looseReversePath(attachments), ...record(record(HostConfig).Sysctls) },
  };
  const NetworkingConfig = { EndpointsConfig: { [first.engineNetwork]: endpointConfig(first) } };
  return { ...request, body: { ...body, Labels: labels, HostConfig: hostConfig, NetworkingConfig } };
}

/** With one default route and two networks, packets come in where no answer would go out. */
function looseReversePath(attachments: readonly Attachment[]): Record<string, string> {
  return attachments.length > 1 ? { 'net.ipv4.conf.all.rp_filter': '2' } : {};
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
