/** The networks a running task is on, as the Engine API attaches them to tasks: service meshes and proxies read them. Pure. */
import type { StatusRecord } from '../../../model/status-record.ts';
import { holds, ipv4Range } from '../../../runtime/ipv4.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { isoTime } from './dates.ts';

/** Undefined for tasks on the engine's own networks. */
export function networkAttachments(snapshot: Snapshot, { nodeId, networks }: StatusRecord): object[] | undefined {
  const found = (networks ?? []).flatMap(({ networkId, address }) => {
    const entry = snapshot.networks.get(networkId);
    if (entry === undefined) return [];
    const { value: network, revision } = entry;
    const made = isoTime(network.createdAtMs);
    const range = snapshot.nets.get(`subnet.${networkId}.${nodeId}`)?.value;
    const subnet = range?.kind === 'subnet' ? range.subnets.find((each) => holds(ipv4Range(each), address)) : undefined;
    const Spec = {
      Name: network.name,
      Labels: network.labels,
      DriverConfiguration: { Name: 'overlay' },
      Internal: network.internal || undefined,
      Scope: 'swarm',
    };
    return [
      {
        Network: {
          ID: network.id,
          Version: { Index: revision },
          CreatedAt: made,
          UpdatedAt: made,
          Spec,
          DriverState: { Name: 'overlay' },
          IPAMOptions: { Driver: { Name: 'default' } },
        },
        Addresses: [`${address}/${subnet?.split('/')[1] ?? '32'}`],
      },
    ];
  });
  return found.length > 0 ? found : undefined;
}
