/**
 * Which entries of conntrack to delete when the destinations of published ports change. UDP has no end of a connection: a
 * busy client's packets would go on to a container that is gone, or past one that came later. A TCP connection nobody has
 * answered yet would be tried at the same place until the client gives up. Pure.
 */
import type { IngressTable, TransportProtocol } from './ingress-table.ts';

/** Where connections to a port are sent: a container of this host, or a node. */
interface Destination {
  readonly protocol: TransportProtocol;
  readonly publishedPort: number;
  readonly address: string;
  readonly targetPort: number;
}

type Destinations = Pick<IngressTable, 'endpoints' | 'mesh'>;

/** Arguments for `conntrack -D`, one list per kind of stale entry. */
export function staleFlows(before: Destinations, after: Destinations): string[][] {
  const [old, current] = [destinationsOf(before), destinationsOf(after)];
  const kept = new Set(current.map(identityOf));
  const gone = old.filter((destination) => !kept.has(identityOf(destination)));
  return [...gone.flatMap(flowsTo), ...newlyServedPorts(old, current).map(untranslatedFlows)];
}

function destinationsOf({ endpoints, mesh }: Destinations): Destination[] {
  const elsewhere = (mesh?.peers ?? []).flatMap(({ address, ports }) =>
    ports.map(({ protocol, port }) => ({ protocol, publishedPort: port, address, targetPort: port })),
  );
  return [...endpoints, ...elsewhere];
}

/** UDP ports nobody served before: packets sent too early left entries that lead to the host itself. */
function newlyServedPorts(old: readonly Destination[], current: readonly Destination[]): number[] {
  const served = new Set(old.filter(isUdp).map(({ publishedPort }) => publishedPort));
  const ports = new Set(current.filter(isUdp).map(({ publishedPort }) => publishedPort));
  return [...ports].filter((port) => !served.has(port));
}

function flowsTo({ protocol, publishedPort, address }: Destination): string[][] {
  const flows = ['-p', protocol, '--orig-port-dst', String(publishedPort), '--reply-src', address];
  if (protocol === 'udp') return [flows];
  return protocol === 'tcp' ? [[...flows, '--state', 'SYN_SENT']] : [];
}

function untranslatedFlows(publishedPort: number): string[] {
  return ['-p', 'udp', '--orig-port-dst', String(publishedPort)];
}

function isUdp({ protocol }: Destination): boolean {
  return protocol === 'udp';
}

function identityOf({ protocol, publishedPort, address, targetPort }: Destination): string {
  return `${protocol} ${publishedPort} ${address} ${targetPort}`;
}
