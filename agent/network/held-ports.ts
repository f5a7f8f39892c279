/** Ports of this host that its own programs hold: publishing one would take their connections away without a word. */
import { PlimsollError } from '../../runtime/errors.ts';
import type { ProcFiles } from './loopback-routing.ts';

export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly port: number;
}

/** State of a socket that waits for anybody: LISTEN for TCP, unconnected for UDP (include/net/tcp_states.h). */
const WAITING_STATE = { tcp: '0A', udp: '07' } as const;

/** Throws `conflict` when a program of this host, bound to whatever address, waits on one of the ports. */
export async function checkPortsFree(files: Pick<ProcFiles, 'read'>, ports: readonly PublishedPort[]): Promise<void> {
  for (const { protocol, port } of ports) {
    if (protocol === 'sctp') continue;
    const tables = await Promise.all([readTable(files, protocol), readTable(files, `${protocol}6`)]);
    if (tables.some((table) => waitingPorts(table, WAITING_STATE[protocol]).has(port))) {
      throw new PlimsollError('conflict', `cannot publish port ${port}/${protocol}: address already in use`);
    }
  }
}

/** Empty where the kernel has no such table: IPv6 may be switched off. */
function readTable(files: Pick<ProcFiles, 'read'>, name: string): Promise<string> {
  return files.read(`/proc/net/${name}`).catch(() => '');
}

/** Local ports of the sockets in a state, from the text of /proc/net/{tcp,udp}[6]. Pure. */
export function waitingPorts(table: string, state: string): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const line of table.split('\n').slice(1)) {
    const [, local = '', , socketState] = line.trim().split(/\s+/);
    if (socketState === state) ports.add(Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16));
  }
  return ports;
}
