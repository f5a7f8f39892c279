/**
 * What this node last heard of networks, kept on disk: a host that boots without the bus still connects its tasks, and a
 * bucket that was emptied takes no address from a task that runs.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { EndpointRecord, NetRecord, netKey } from '../../../model/network-records.ts';

export const KnownNetworks = z.object({
  v: z.literal(1),
  clusterId: z.string(),
  nets: z.array(NetRecord),
  endpoints: z.array(EndpointRecord),
});
export type KnownNetworks = z.infer<typeof KnownNetworks>;

export function knownNetworksPath(stateDir: string): string {
  return join(stateDir, 'node', 'networks.json');
}

/** News over what was known: ranges of this node stay while its tasks have addresses of them. Pure. */
export function withKeptRanges(
  news: readonly NetRecord[],
  before: readonly NetRecord[],
  nodeId: string,
  networksInUse: ReadonlySet<string>,
): NetRecord[] {
  const told = new Set(news.map(netKey));
  const kept = before.filter(
    (record) =>
      record.kind === 'subnet' &&
      record.nodeId === nodeId &&
      networksInUse.has(record.network.id) &&
      !told.has(netKey(record)),
  );
  return [...news, ...kept];
}
