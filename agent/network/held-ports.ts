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

/** What a client of this host may be given for a moment, unless the kernel says otherwise. */
const USUAL_EPHEMERAL: readonly [number, number] = [32_768, 60_999];

/**
 * Of the held ports those a service can be refused for: others reach the program there, and it has chosen the number. Sockets
 * of the loopback and numbers the kernel gives clients (a resolver has another every second) are left to the node itself.
 */
export async function claimedPorts(files: Pick<ProcFiles, 'read'>): Promise<ReadonlySet<string>> {
  const [first, last] = await ephemeralRange(files);
  const keys: string[] = [];
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const name of [protocol, `${protocol}6`]) {
      const ports = waitingPorts(await readTable(files, name), WAITING_STATE[protocol], isReachable);
      const chosen = [...ports].filter((port) => port < first || port > last);
      keys.push(...chosen.map((port) => portKey({ protocol, port })));
    }
  }
  return new Set(keys);
}

async function ephemeralRange(files: Pick<ProcFiles, 'read'>): Promise<readonly [number, number]> {
  const text = await files.read('/proc/sys/net/ipv4/ip_local_port_range').catch(() => '');
  const [first = Number.NaN, last = Number.NaN] = text.trim().split(/\s+/).map(Number);
  return first > 0 && last >= first ? [first, last] : USUAL_EPHEMERAL;
}

/** Addresses as the kernel prints them: each word of 32 bits in the byte order of the host, which is little-endian. */
function isReachable(address: string): boolean {
  const isLoopback = address.length === 8 && address.endsWith('7F');
  const isMapped = address.startsWith('0000000000000000FFFF0000') && address.endsWith('7F');
  return !isLoopback && !isMapped && address !== '00000000000000000000000001000000';
}

/** `80/tcp` */
export function portKey({ protocol, port }: PublishedPort): string {
  return `${port}/${protocol}`;
}

/** Empty where the kernel has no such table: IPv6 may be switched off. */
function readTable(files: Pick<ProcFiles, 'read'>, name: string): Promise<string> {
  return files.read(`/proc/net/${name}`).catch(() => '');
}

/** Local ports of the sockets in a state and on such addresses, from the text of /proc/net/{tcp,udp}[6]. Pure. */
export function waitingPorts(
  table: string,
  state: string,
  isMeant: (address: string) => boolean = () => true,
): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const line of table.split('\n').slice(1)) {
    const [, local = '', , socketState] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (socketState === state && isMeant(address)) ports.add(Number.parseInt(port, 16));
  }
  return ports;
}
