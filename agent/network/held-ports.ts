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

/** All ports programs of this host wait on, as `portKey` says them. */
export async function heldPorts(files: Pick<ProcFiles, 'read'>): Promise<ReadonlySet<string>> {
  const keys: string[] = [];
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const name of [protocol, `${protocol}6`]) {
      const ports = waitingPorts(await readTable(files, name), WAITING_STATE[protocol]);
      keys.push(...[...ports].map((port) => portKey({ protocol, port })));
    }
  }
  return new Set(keys);
}

/** `80/tcp` */
export function portKey({ protocol, port }: PublishedPort): string {
  return `${port}/${protocol}`;
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
