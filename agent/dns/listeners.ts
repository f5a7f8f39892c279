/** The sockets the resolver listens on: one pair per bridge, coming and going with them. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { framed, readFrames } from './frames.ts';
import type { Resolver } from './resolver.ts';

/** A connection that says nothing for this long is closed. */
const TCP_IDLE_MS = 10_000;
const TCP_CONNECTIONS = 256;
/** Of one container: the others are to find some left. */
const TCP_CONNECTIONS_OF_ONE = 32;
/** A connection that asks and does not read the answers is closed when so many bytes of them wait. */
const TCP_UNREAD_BYTES = 1024 * 1024;

export interface ListenerParts {
  readonly resolver: Pick<Resolver, 'answer'>;
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
}

interface Listener {
  close(): Promise<void>;
}

export class Listeners {
  private readonly parts: ListenerParts;
  private readonly open = new Map<string, Listener>();

  constructor(parts: ListenerParts) {
    this.parts = parts;
  }

  /**
   * Listens on these addresses and no others. Answers those it could not open: a bridge may not be there yet, another
   * program may have the port.
   */
  async keep(addresses: readonly string[]): Promise<string[]> {
    for (const [address, listener] of this.open) {
      if (addresses.includes(address)) continue;
      this.open.delete(address);
      await listener.close();
    }
    const missing: string[] = [];
    for (const address of addresses) if (!(await this.ensure(address))) missing.push(address);
    return missing;
  }

  close(): Promise<string[]> {
    return this.keep([]);
  }

  private async ensure(address: string): Promise<boolean> {
    if (this.open.has(address)) return true;
    const { resolver, port, log } = this.parts;
    const udp = createSocket('udp4');
    const tcp = createServer();
    try {
      await Promise.all([bindUdp(udp, address, port), bindTcp(tcp, address, port)]);
    } catch (error) {
      udp.close();
      tcp.close();
      log.debug({ address, error: messageOf(error) }, 'cannot listen there yet');
      return false;
    }
    serveUdp(udp, resolver, log);
    const connections = serveTcp(tcp, resolver, log);
    this.open.set(address, { close: () => closeAll(udp, tcp, connections) });
    log.info({ address, port }, 'answering questions of containers');
    return true;
  }
}

async function bindUdp(socket: UdpSocket, address: string, port: number): Promise<void> {
  const bound = once(socket, 'listening');
  socket.bind(port, address);
  await bound;
}

async function bindTcp(server: Server, address: string, port: number): Promise<void> {
  const bound = once(server, 'listening');
  server.maxConnections = TCP_CONNECTIONS;
  server.listen(port, address);
  await bound;
}

function serveUdp(socket: UdpSocket, resolver: ListenerParts['resolver'], log: Log): void {
  let isOpen = true;
  socket.once('close', () => {
    isOpen = false;
  });
  socket.on('error', (error) => log.warn({ error: error.message }, 'a socket of the resolver failed'));
  socket.on('message', (message, { address, port }) => {
    const send = (answer: Buffer | undefined) => {
      // The bridge may have gone while the answer was looked for: a closed socket throws.
      if (answer && isOpen) socket.send(answer, port, address, () => undefined);
    };
    resolver.answer(message, address, 'udp').then(send).catch(unanswered(log));
  });
}

/** Answers the set of connections, which goes on changing. */
function serveTcp(server: Server, resolver: ListenerParts['resolver'], log: Log): ReadonlySet<TcpSocket> {
  const connections = new Set<TcpSocket>();
  server.on('error', (error) => log.warn({ error: error.message }, 'a socket of the resolver failed'));
  server.on('connection', (socket) => {
    const fromThere = [...connections].filter(({ remoteAddress }) => remoteAddress === socket.remoteAddress);
    if (fromThere.length >= TCP_CONNECTIONS_OF_ONE) return void socket.destroy();
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    const send = (answer: Buffer | undefined) => {
      if (answer && socket.writable) socket.write(framed(answer));
      if (socket.writableLength > TCP_UNREAD_BYTES) socket.destroy();
    };
    readFrames(socket, (message) => {
      resolver
        .answer(message, socket.remoteAddress ?? '', 'tcp')
        .then(send)
        .catch(unanswered(log));
    });
  });
  return connections;
}

/** One question that cannot be answered must not end the resolver of a whole host. */
function unanswered(log: Log): (error: unknown) => void {
  return (error) => log.error({ error: messageOf(error) }, 'could not answer a question');
}

/** A client that goes on asking keeps nothing open. */
async function closeAll(udp: UdpSocket, tcp: Server, connections: ReadonlySet<TcpSocket>): Promise<void> {
  const closed = Promise.all([
    new Promise<void>((resolve) => udp.close(resolve)),
    new Promise<void>((resolve) => tcp.close(() => resolve())),
  ]);
  for (const socket of connections) socket.destroy();
  await closed;
}
