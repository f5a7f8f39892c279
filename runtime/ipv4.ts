/** IPv4 addresses and ranges as numbers. Pure. */

/** A range of addresses: its first one, as a number, and how many leading bits they share. */
export interface Ipv4Range {
  readonly base: number;
  readonly prefix: number;
}

/** The address as an unsigned number. */
export function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

export function ipv4Text(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** A CIDR as a range; bits behind the prefix are dropped. */
export function ipv4Range(cidr: string): Ipv4Range {
  const [address = '', prefix = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  return { base: Math.floor(ipv4Number(address) / size) * size, prefix: Number(prefix) };
}

export function rangeText({ base, prefix }: Ipv4Range): string {
  return `${ipv4Text(base)}/${prefix}`;
}

/** How many addresses a range has. */
export function rangeSize({ prefix }: Ipv4Range): number {
  return 2 ** (32 - prefix);
}

export function overlaps(a: Ipv4Range, b: Ipv4Range): boolean {
  return a.base < b.base + rangeSize(b) && b.base < a.base + rangeSize(a);
}

export function holds(range: Ipv4Range, address: string): boolean {
  return overlaps(range, { base: ipv4Number(address), prefix: 32 });
}

/** The first address behind the network's own: the bridge's, and the containers' way out. */
export function gatewayOf(subnet: string): string {
  return ipv4Text(ipv4Range(subnet).base + 1);
}
