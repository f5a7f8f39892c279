/** The address other hosts most likely reach this one at: that of the default route's interface, as docker swarm init. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** 127.0.0.1 where there is no default route: a cluster of one host. */
export function defaultAdvertiseAddress(): string {
  const name = defaultRouteInterface(readFileSync('/proc/net/route', 'utf8'));
  const addresses = (name && networkInterfaces()[name]) || [];
  return addresses.find((each) => each.family === 'IPv4')?.address ?? '127.0.0.1';
}

/** Out of /proc/net/route: the default route with the lowest metric. Pure. */
export function defaultRouteInterface(routes: string): string | undefined {
  const defaults = routes
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((fields) => fields[1] === '00000000' && fields[7] === '00000000')
    .sort((left, right) => Number(left[6]) - Number(right[6]));
  return defaults[0]?.[0];
}
