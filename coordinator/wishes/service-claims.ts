/** The names and ports a service needs to itself. Pure. */
import type { ServiceRecord } from '../../model/service-record.ts';
import type { PortConfig } from '../../model/service-spec.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import type { Claim } from './claims.ts';
import { ingressPorts, portTaken } from './ports.ts';

/** Names are unique without regard to case, as in Swarm. */
export function nameClaim(name: string): Claim {
  return {
    key: `service.${name.toLowerCase()}`,
    refusal: () =>
      new PlimsollError('conflict', `name conflicts with an existing object: service ${name} already exists`),
  };
}

export function portClaims(ports: readonly PortConfig[]): Claim[] {
  return ingressPorts(ports).map((port) => ({
    key: portClaimKey(port),
    refusal: ({ ownerId, ownerName }) => portTaken(port, { id: ownerId, spec: { Name: ownerName } }, 'ingress'),
  }));
}

/** Every key a stored service holds. */
export function claimKeys(record: ServiceRecord): string[] {
  return [nameClaim(record.spec.Name).key, ...ingressPorts(record.ports).map(portClaimKey)];
}

const portClaimKey = (port: PortConfig): string => `port.${port.Protocol}.${port.PublishedPort ?? 0}`;
