/**
 * UDP has no end of a connection: conntrack would go on sending a busy client's packets to a container that is gone,
 * or past a container that came later. Which entries to delete when endpoints change. Pure.
 */
import type { IngressEndpoint } from './ingress-table.ts';

/** Arguments for `conntrack -D`, one list per kind of stale entry. */
export function staleUdpFlows(before: readonly IngressEndpoint[], after: readonly IngressEndpoint[]): string[][] {
  const [old, current] = [before.filter(isUdp), after.filter(isUdp)];
  const kept = new Set(current.map(identityOf));
  const gone = old.filter((endpoint) => !kept.has(identityOf(endpoint)));
  return [...gone.map(flowsTo), ...newlyServedPorts(old, current).map(untranslatedFlows)];
}

/** Ports nobody served before: packets sent too early left entries that lead to the host itself. */
function newlyServedPorts(old: readonly IngressEndpoint[], current: readonly IngressEndpoint[]): number[] {
  const served = new Set(old.map((endpoint) => endpoint.publishedPort));
  return [...new Set(current.map((endpoint) => endpoint.publishedPort))].filter((port) => !served.has(port));
}

function flowsTo({ publishedPort, address }: IngressEndpoint): string[] {
  return ['-p', 'udp', '--orig-port-dst', String(publishedPort), '--reply-src', address];
}

function untranslatedFlows(publishedPort: number): string[] {
  return ['-p', 'udp', '--orig-port-dst', String(publishedPort)];
}

function isUdp(endpoint: IngressEndpoint): boolean {
  return endpoint.protocol === 'udp';
}

function identityOf({ publishedPort, address, targetPort }: IngressEndpoint): string {
  return `${publishedPort} ${address} ${targetPort}`;
}
