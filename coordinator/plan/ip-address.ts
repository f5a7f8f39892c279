/** Addresses and networks as text, compared by their bits: IPv4, IPv6, and IPv4 in the clothes of IPv6. Pure. */

/** An address as its bytes, four or sixteen. */
type Bytes = readonly number[];

export interface AddressRange {
  readonly bytes: Bytes;
  readonly prefixBits: number;
}

/** `10.0.0.0/8`, `fd00::/8`, or one address; undefined for what is none. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  const bytes = bytesOf(address);
  if (!bytes || more.length > 0) return undefined;
  const bits = bytes.length * 8;
  if (prefix === undefined) return { bytes, prefixBits: bits };
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? { bytes, prefixBits: Number(prefix) } : undefined;
}

/** An address of the other family is in none. */
export function isWithin(address: string, { bytes, prefixBits }: AddressRange): boolean {
  const own = bytesOf(address);
  if (own?.length !== bytes.length) return false;
  return own.every((byte, index) => {
    const ignoredBits = 8 - Math.min(8, Math.max(0, prefixBits - index * 8));
    return byte >> ignoredBits === (bytes[index] ?? 0) >> ignoredBits;
  });
}

function bytesOf(address: string): Bytes | undefined {
  if (!address.includes(':')) return ipv4Bytes(address);
  const bytes = ipv6Bytes(address);
  const isMapped = bytes?.slice(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 255));
  return isMapped ? bytes?.slice(12) : bytes;
}

function ipv4Bytes(address: string): Bytes | undefined {
  const parts = address.split('.');
  const isNumber = (part: string) => /^\d{1,3}$/.test(part) && Number(part) <= 255;
  return parts.length === 4 && parts.every(isNumber) ? parts.map(Number) : undefined;
}

/** Of groups before and after the one `::`, which stands for as many zeros as are missing. */
function ipv6Bytes(address: string): Bytes | undefined {
  const halves = address.split('::').map((half, index, all) => groupBytes(half, index === all.length - 1));
  const [head, tail] = halves;
  if (!head || halves.length > 2 || halves.includes(undefined)) return undefined;
  if (!tail) return head.length === 16 ? head : undefined;
  const missing = 16 - head.length - tail.length;
  return missing >= 2 ? [...head, ...Array.from({ length: missing }, () => 0), ...tail] : undefined;
}

/** `fd00:1:10.0.0.1`: groups of 16 bits; the last of an address may be an IPv4 address. */
function groupBytes(text: string, isLast: boolean): Bytes | undefined {
  if (text === '') return [];
  const groups = text.split(':').map((group, index, all) => {
    if (group.includes('.')) return isLast && index === all.length - 1 ? ipv4Bytes(group) : undefined;
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return groups.every((group) => group !== undefined) ? groups.flat() : undefined;
}
