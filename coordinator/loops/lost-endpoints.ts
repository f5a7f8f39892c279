/**
 * The tasks of a lost node leave names, virtual addresses and published ports at once: its agent cannot say so. When it is back, it finds its
 * announcement changed and makes it again. Its members stay: what still runs there may answer.
 */
import type { Buckets } from '../../bus/buckets.ts';
import { isAbleTo, type MeshRecord, type NodeAbility } from '../../model/mesh-record.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Snapshot } from '../store/snapshot.ts';

export interface LostEndpointsParts {
  readonly endpoints: Pick<Buckets['endpoints'], 'get' | 'update'>;
  readonly meshes: Pick<Buckets['meshes'], 'get' | 'update'>;
  readonly log: Log;
}

/** Never rejects; an announcement the node has made anew meanwhile is left alone. */
export async function withdrawEndpoints(parts: LostEndpointsParts, snapshot: Snapshot, nodeId: string): Promise<void> {
  const networks = [...snapshot.nets.values()].flatMap(({ value }) =>
    value.kind === 'subnet' && value.nodeId === nodeId ? [value.network] : [],
  );
  await Promise.all([withdrawPorts(parts, nodeId), ...networks.map((network) => withdrawOne(parts, network, nodeId))]);
}

async function withdrawOne(
  { endpoints, log }: LostEndpointsParts,
  network: { readonly id: string; readonly name: string },
  nodeId: string,
): Promise<void> {
  const key = `${network.id}.${nodeId}`;
  try {
    const entry = await endpoints.get(key);
    if (!entry || entry.value.endpoints.length === 0) return;
    await endpoints.update(key, { ...entry.value, endpoints: [] }, entry.revision);
  } catch (error) {
    const fields = { nodeId, network: network.name, error: messageOf(error) };
    log.warn(fields, 'could not take the tasks of a lost node out of a network');
  }
}

async function withdrawPorts({ meshes, log }: LostEndpointsParts, nodeId: string): Promise<void> {
  try {
    const entry = await meshes.get(nodeId);
    if (!entry || (entry.value.ports.length === 0 && !isAbleTo('acknowledges', entry.value))) return;
    await meshes.update(nodeId, withoutPorts(entry.value), entry.revision);
  } catch (error) {
    log.warn({ nodeId, error: messageOf(error) }, 'could not take the ports of a lost node out of the routing mesh');
  }
}

/** Nor is it waited for when a task elsewhere leaves. */
function withoutPorts({ abilities = [], ...record }: MeshRecord): MeshRecord {
  const acknowledges: NodeAbility = 'acknowledges';
  return { ...record, ports: [], abilities: abilities.filter((each) => each !== acknowledges) };
}
