/** What the kernel and the engine call the parts of the overlay on a host. Everything follows from ids and addresses. Pure. */
import { createHash } from 'node:crypto';
import { derivedId } from '../../../runtime/identifiers.ts';
import { ipv4Number } from '../../../runtime/ipv4.ts';

export const VXLAN_DEVICE = 'plimsoll-vx';
export const VXLAN_ID = 4242;
export const VXLAN_PORT = 4789;
/** Inside the tunnel: who asks here is told that nobody listens, and knows that the way is open. */
export const TUNNEL_PROBE_PORT = 4790;

/** What the names of our bridges begin with: the table matches them by it. */
export const BRIDGE_PREFIX = 'plimb';
const DEVICE_NAME_LENGTH = 15;

/** The bridge of one address range; the kernel takes 15 characters. */
export function bridgeDevice(subnet: string): string {
  return `${BRIDGE_PREFIX}${derivedId('bridge', subnet)}`.slice(0, DEVICE_NAME_LENGTH);
}

/** The engine's own network over that bridge. */
export function engineNetworkName(subnet: string): string {
  return `plimsoll-${subnet.replace(/[./]/g, '-')}`;
}

/** The hardware address of a node's VXLAN device: locally administered, the same whoever derives it. */
export function tunnelMac(nodeId: string): string {
  const bytes = [...createHash('sha256').update(nodeId).digest().subarray(0, 5)];
  return ['02', ...bytes.map(hex)].join(':');
}

/** The hardware address of a container's interface, as Docker up to 27 derives it and we ask newer ones for. */
export function containerMac(address: string): string {
  const number = ipv4Number(address);
  return ['02', '42', ...[24, 16, 8, 0].map((shift) => hex(Math.floor(number / 2 ** shift) % 256))].join(':');
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
