/** Questions about other worlds, passed on to the host's resolvers as they came. */
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import { withDeadline } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { framed, readFrames } from './frames.ts';

export type Transport = 'udp' | 'tcp';
/** Asks the servers in turn; throws `unavailable` when none answers. */
export type Forward = (query: Buffer, servers: readonly string[], transport: Transport) => Promise<Buffer>;

const DNS_PORT = 53;
const SERVER_TIMEOUT_MS = 2_000;
const MAX_SERVERS = 3;

export function createForward(clock: Clock): Forward {
  return async (query, servers, transport) => {
    let last: unknown = new PlimsollError('unavailable', 'This host has no resolver of its own');
    for (const server of servers.slice(0, MAX_SERVERS)) {
      try {
        return await ask(clock, query, server, transport);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };
}

/** The `nameserver` lines of a resolv.conf. Pure. */
export function nameserversOf(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
}

/** The host's resolvers as they are now; none when it names none. */
export async function hostNameservers(path = '/etc/resolv.conf'): Promise<string[]> {
  return nameserversOf(await readFile(path, 'utf8').catch(() => ''));
}

async function ask(clock: Clock, query: Buffer, server: string, transport: Transport): Promise<Buffer> {
  const asked = transport === 'udp' ? askUdp(query, server) : askTcp(query, server);
  const late = () => new PlimsollError('timeout', `${server} did not answer within ${SERVER_TIMEOUT_MS} ms`);
  return withDeadline(clock, SERVER_TIMEOUT_MS, asked.answer, late).finally(asked.close);
}

interface Asked {
  readonly answer: Promise<Buffer>;
  readonly close: () => void;
}

function askUdp(query: Buffer, server: string): Asked {
  const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
  const answer = new Promise<Buffer>((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (reply) => {
      if (reply.length > 1 && reply.readUInt16BE(0) === query.readUInt16BE(0)) resolve(reply);
    });
    // A connected socket takes answers from nobody else.
    socket.once('connect', () => socket.send(query, (error) => error && reject(error)));
    socket.connect(DNS_PORT, server);
  });
  answer.catch(() => undefined);
  return { answer, close: () => socket.close() };
}

function askTcp(query: Buffer, server: string): Asked {
  const socket = connect(DNS_PORT, server, () => socket.write(framed(query)));
  const answer = new Promise<Buffer>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new PlimsollError('unavailable', `${server} hung up`)));
    readFrames(socket, resolve);
  });
  answer.catch(() => undefined);
  return { answer, close: () => socket.destroy() };
}
