/** Networks this host reaches that the cluster's networks would hide. Pure. */

import { nodePoolText, vipPoolText } from '../../../model/address-pools.ts';
import type { NetworkWarning } from '../../../model/network-warning.ts';
import { ipv4Range, overlaps } from '../../../runtime/ipv4.ts';
import { addressInRouteTable, prefixInRouteTable } from '../bridge-networks.ts';
import { BRIDGE_PREFIX, VXLAN_DEVICE } from '../overlay/overlay-names.ts';

interface HostRoute {
  readonly device: string;
  readonly subnet: string;
}

/** The columns of /proc/net/route, see proc_pid_net(5). */
const [DEVICE, DESTINATION, MASK] = [0, 1, 7];

/** Every route but the default ones and ours. */
export function foreignRoutes(procNetRoute: string): HostRoute[] {
  const lines = procNetRoute.split('\n').slice(1);
  const routes = lines.flatMap((line) => {
    const columns = line.split('\t').map((column) => column.trim());
    const [device, destination, mask] = [columns[DEVICE], columns[DESTINATION], columns[MASK]];
    if (!device || !destination || !mask || mask === '00000000') return [];
    return [{ device, subnet: `${addressInRouteTable(destination)}/${prefixInRouteTable(mask)}` }];
  });
  return routes.filter(({ device }) => device !== VXLAN_DEVICE && !device.startsWith(BRIDGE_PREFIX));
}

/** `ranges` are those of the networks on every node. */
export function overlapWarnings(routes: readonly HostRoute[], ranges: readonly string[]): NetworkWarning[] {
  const inUse = [...new Set([...ranges.map(poolOf), vipPoolText])];
  return routes.flatMap(({ device, subnet }) =>
    inUse
      .filter((range) => overlaps(ipv4Range(range), ipv4Range(subnet)))
      .map((range) => ({
        kind: 'overlap' as const,
        says: `${subnet} on ${device} overlaps with ${range}, from which containers and services have addresses`,
        advice:
          'Containers do not reach that network, or its hosts not the containers: give it other addresses, or make networks with a --subnet that is free',
      })),
  );
}

/** Ranges of the pool come and go: what overlaps with it will sooner or later overlap with one of them. */
function poolOf(range: string): string {
  return overlaps(ipv4Range(range), ipv4Range(nodePoolText)) ? nodePoolText : range;
}
