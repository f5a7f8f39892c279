/** Addresses of this node's containers: chosen before they start, so that every table has them by then. Pure. */

import { networkLabels } from '../../../model/network-labels.ts';
import { ipv4Number, ipv4Range, ipv4Text, rangeSize } from '../../../runtime/ipv4.ts';
import type { TaskAddress } from './overlay-view.ts';

/** The network's own address and the bridge's come first, the broadcast address last. */
const FIRST_OFFSET = 2;

/**
 * A free address of these ranges; undefined when all are taken. The search goes on behind `last`, the one given out before:
 * who has just left keeps being nobody for a while.
 */
export function pickAddress(
  subnets: readonly string[],
  taken: ReadonlySet<string>,
  last: string | undefined,
): string | undefined {
  const all = subnets.flatMap(containerAddresses);
  const start = last === undefined ? 0 : all.indexOf(last) + 1;
  return [...all.slice(start), ...all.slice(0, start)].find((address) => !taken.has(address));
}

function containerAddresses(subnet: string): string[] {
  const range = ipv4Range(subnet);
  return Array.from({ length: rangeSize(range) - FIRST_OFFSET - 1 }, (_, index) =>
    ipv4Text(range.base + FIRST_OFFSET + index),
  );
}

/** The range of these that holds an address. */
export function rangeHolding(subnets: readonly string[], address: string): string | undefined {
  const number = ipv4Number(address);
  return subnets.find((subnet) => {
    const range = ipv4Range(subnet);
    return number >= range.base && number < range.base + rangeSize(range);
  });
}

/** The value of a container's label. */
export function addressesText(addresses: readonly TaskAddress[]): string {
  return addresses.map(({ networkId, address }) => `${networkId}=${address}`).join(',');
}

/** What a container's labels say of its addresses; none for containers on the engine's own networks. */
export function addressesOf(labels: Readonly<Record<string, string>>): TaskAddress[] {
  const text = labels[networkLabels.addresses] ?? '';
  return text.split(',').flatMap((part) => {
    const [networkId, address] = part.split('=');
    return networkId && address ? [{ networkId, address }] : [];
  });
}
