/** Names of services and tasks, by network: who may see what under which name. Pure. */
import type { NetworkEndpoint, VipRecord } from '../../../model/network-records.ts';
import { gatewayOf } from '../../../runtime/ipv4.ts';
import type { Zone } from '../../dns/zone.ts';
import type { LocalTask, OverlayView } from './overlay-view.ts';

/** Ready tasks of all nodes by network id, this node's own included. */
export type Endpoints = ReadonlyMap<string, readonly NetworkEndpoint[]>;

export function planZone(view: OverlayView, endpoints: Endpoints): Zone {
  const ranges = view.nets.filter((record) => record.kind === 'subnet');
  const own = ranges.filter(({ nodeId }) => nodeId === view.nodeId);
  const internal = new Set(own.filter(({ network }) => network.internal).map(({ network }) => network.id));
  const vips = view.nets.filter((record) => record.kind === 'vip');
  const ids = [...new Set(own.map(({ network }) => network.id))].sort();
  const onNetwork = (id: string) => ({
    vips: vips.filter(({ networkId }) => networkId === id),
    endpoints: endpoints.get(id) ?? [],
  });
  return {
    v: 1,
    listen: own.flatMap(({ subnets }) => subnets.map(gatewayOf)).sort(),
    networks: Object.fromEntries(ids.map((id) => [id, namesOn(onNetwork(id))])),
    askers: Object.fromEntries(view.tasks.flatMap((task) => askersOf(task, internal))),
    reverse: Object.fromEntries(ids.map((id) => [id, reverseOn(onNetwork(id))])),
  };
}

interface OnNetwork {
  readonly vips: readonly VipRecord[];
  readonly endpoints: readonly NetworkEndpoint[];
}

/**
 * `web` is the virtual address, or every ready task where there is none; `tasks.web` always the ready tasks, `web.2` the one
 * of that slot. Aliases stand for the service in all three.
 */
function namesOn({ vips, endpoints }: OnNetwork): Record<string, string[]> {
  const names = new Map<string, Set<string>>();
  const add = (name: string, address: string) => {
    const key = name.toLowerCase();
    const known = names.get(key);
    if (known) known.add(address);
    else names.set(key, new Set([address]));
  };
  const withVip = new Set(vips.map(({ serviceId }) => serviceId));
  for (const vip of vips) for (const name of [vip.serviceName, ...vip.aliases]) add(name, vip.address);
  for (const { serviceId, serviceName, slot, aliases, address } of endpoints) {
    for (const name of new Set([serviceName, ...aliases])) {
      if (!withVip.has(serviceId)) add(name, address);
      add(`tasks.${name}`, address);
      if (slot > 0) add(`${name}.${slot}`, address);
    }
  }
  return Object.fromEntries([...names.keys()].sort().map((name) => [name, [...(names.get(name) ?? [])].sort()]));
}

function reverseOn({ vips, endpoints }: OnNetwork): Record<string, string> {
  return Object.fromEntries([
    ...vips.map(({ address, serviceName }) => [address, serviceName] as const),
    ...endpoints.map(
      ({ address, serviceName, slot }) =>
        [address, slot > 0 ? `${serviceName}.${slot}` : `tasks.${serviceName}`] as const,
    ),
  ]);
}

function askersOf(task: LocalTask, internal: ReadonlySet<string>): [string, Zone['askers'][string]][] {
  const networks = task.addresses.map(({ networkId }) => networkId);
  const confined = networks.every((id) => internal.has(id));
  const asker = { networks, confined, nameservers: [...task.nameservers] };
  return task.addresses.map(({ address }) => [address, asker]);
}
