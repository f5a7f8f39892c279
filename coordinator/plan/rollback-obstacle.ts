/** What keeps a failed update from being taken back: things its earlier specification needs and the cluster no longer has. */
import type { ServiceRecord } from '../../model/records.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import { payloadReferences } from '../payloads/payload-use.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { predefinedNetworks } from '../wishes/network-rules.ts';
import { specBeforeUpdate } from '../wishes/revisions.ts';

type Kept = Pick<Snapshot, 'secrets' | 'configs' | 'networks'>;

/** "it needs the secret db_password, which is gone"; undefined when nothing is missing. Pure. */
export function rollbackObstacle(service: ServiceRecord, kept: Kept): string | undefined {
  const earlier = specBeforeUpdate(service);
  const missing = earlier ? missingOf(earlier, kept) : [];
  if (missing.length === 0) return undefined;
  return `what was before needs the ${missing.join(' and the ')}, which ${missing.length === 1 ? 'is' : 'are'} gone`;
}

function missingOf({ TaskTemplate }: ServiceSpec, { secrets, configs, networks }: Kept): string[] {
  const payloads = payloadReferences(TaskTemplate.ContainerSpec).filter(({ kind, id }) =>
    kind === 'secret' ? !secrets.has(id) : !configs.has(id),
  );
  const isThere = (target: string) => predefinedNetworks.includes(target) || networks.has(target);
  const targets = (TaskTemplate.Networks ?? []).map(({ Target }) => Target).filter((target) => !isThere(target));
  return [...payloads.map(({ kind, name }) => `${kind} ${name}`), ...targets.map((target) => `network ${target}`)];
}
