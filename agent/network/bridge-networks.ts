/** Which bridge of this host an address hangs on, from the kernel's routing table. Pure. */
import type { BridgeNetwork } from './ingress-table.ts';

const DEVICE = 0;
const DESTINATION = 1;
const GATEWAY = 2;
const MASK = 7;

/** The directly connected networks in `/proc/net/route` (addresses there are little-endian hexadecimal words). */
export function parseConnectedNetworks(procNetRoute: string): BridgeNetwork[] {
  const networks: BridgeNetwork[] = [];
  for (const line of procNetRoute.split('\n').slice(1)) {
    const columns = line.split('\t').map((column) => column.trim());
    const [device, destination, mask] = [columns[DEVICE], columns[DESTINATION], columns[MASK]];
    if (!device || !destination || !mask || columns[GATEWAY] !== '00000000' || mask === '00000000') continue;
    networks.push({ device, subnet: `${addressInRouteTable(destination)}/${prefixInRouteTable(mask)}` });
  }
  return networks;
}

/** The networks that hold at least one of the addresses; the longest prefix wins. In a fixed order. */
export function networksOf(addresses: Iterable<string>, connected: readonly BridgeNetwork[]): BridgeNetwork[] {
  const byPrefix = [...connected].sort((a, b) => prefixOf(b.subnet) - prefixOf(a.subnet));
  const chosen = new Set<BridgeNetwork>();
  for (const address of new Set(addresses)) {
    const network = byPrefix.find(({ subnet }) => contains(subnet, address));
    if (network) chosen.add(network);
  }
  return [...chosen].sort((a, b) => a.device.localeCompare(b.device) || a.subnet.localeCompare(b.subnet));
}

function contains(subnet: string, address: string): boolean {
  const size = 2 ** (32 - prefixOf(subnet));
  const [base = ''] = subnet.split('/');
  return Math.floor(toNumber(base) / size) === Math.floor(toNumber(address) / size);
}

function prefixOf(subnet: string): number {
  return Number(subnet.split('/')[1]);
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** `0000C80A` is 10.200.0.0. */
export function addressInRouteTable(littleEndianHex: string): string {
  return [...Buffer.from(littleEndianHex, 'hex')].reverse().join('.');
}

/** How many bits a mask written the same way has. */
export function prefixInRouteTable(maskHex: string): number {
  const bits = Number.parseInt(maskHex, 16).toString(2);
  return bits.replaceAll('0', '').length;
}
