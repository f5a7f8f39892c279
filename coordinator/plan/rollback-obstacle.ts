/** What keeps a failed update from being taken back: what its earlier specification needs and the cluster no longer has free. */
import type { ServiceRecord } from '../../model/service-record.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import { payloadReferences } from '../payloads/payload-use.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { predefinedNetworks } from '../wishes/network-rules.ts';
import { takenPorts } from '../wishes/ports.ts';
import { specBeforeUpdate } from '../wishes/revisions.ts';

type Kept = Pick<Snapshot, 'services' | 'secrets' | 'configs' | 'networks'>;

/** "what was before needs the secret db_password, which is gone"; undefined when nothing is missing or taken. Pure. */
export function rollbackObstacle(service: ServiceRecord, kept: Kept): string | undefined {
  const earlier = specBeforeUpdate(service);
  if (!earlier) return undefined;
  const missing = missingOf(earlier, kept);
  const gone = `the ${missing.join(' and the ')}, which ${missing.length === 1 ? 'is' : 'are'} gone`;
  const needs = [...(missing.length > 0 ? [gone] : []), ...takenOf(service, earlier, kept)];
  return needs.length > 0 ? `what was before needs ${needs.join(', and ')}` : undefined;
}

/** Its claim on a port ends with the update that gives it up: another service may have it by then. */
function takenOf({ id }: ServiceRecord, earlier: ServiceSpec, { services }: Kept): string[] {
  const ports = earlier.EndpointSpec?.Ports ?? [];
  if (ports.length === 0) return [];
  const others = [...services.values()].map(({ value }) => value);
  const live = others.filter((other) => other.id !== id && other.removedAtMs === undefined);
  return takenPorts(ports, live).map(
    ({ mine, owner }) => `the port ${mine.PublishedPort}/${mine.Protocol}, which service ${owner.spec.Name} has now`,
  );
}

function missingOf({ TaskTemplate }: ServiceSpec, { secrets, configs, networks }: Kept): string[] {
  const payloads = payloadReferences(TaskTemplate.ContainerSpec).filter(({ kind, id }) =>
    kind === 'secret' ? !secrets.has(id) : !configs.has(id),
  );
  const isThere = (target: string) => predefinedNetworks.includes(target) || networks.has(target);
  const targets = (TaskTemplate.Networks ?? []).map(({ Target }) => Target).filter((target) => !isThere(target));
  return [...payloads.map(({ kind, name }) => `${kind} ${name}`), ...targets.map((target) => `network ${target}`)];
}
