/** Between a client and a NATS server: loses single messages to the client, or carries nothing at all, without saying so. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A message on its way to the client. */
export interface ProxiedMessage {
  readonly subject: string;
  readonly payload: string;
}

export class NatsProxy {
  /** Asked for each message to the client: true loses it. */
  loses: (message: ProxiedMessage) => boolean = () => false;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly serverPort: number;
  private isCut = false;

  private constructor(serverPort: number) {
    this.serverPort = serverPort;
    this.server = createServer((client) => this.accept(client));
  }

  static async start(serverPort: number): Promise<NatsProxy> {
    const proxy = new NatsProxy(serverPort);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen');
    return address.port;
  }

  /** As a cut cable: what is sent gets stuck, nobody is told, new connections hang. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.pause();
  }

  heal(): void {
    this.isCut = false;
    for (const socket of this.sockets) socket.resume();
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    const server = connect(this.serverPort, '127.0.0.1');
    const messages = new MessageFilter((message) => this.loses(message));
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      if (this.isCut) socket.pause();
    }
    client.on('data', (chunk) => server.write(chunk));
    server.on('data', (chunk) => client.write(messages.take(chunk)));
    this.endTogether(client, server);
    this.endTogether(server, client);
  }

  private endTogether(ended: Socket, other: Socket): void {
    ended.on('close', () => {
      this.sockets.delete(ended);
      other.destroy();
    });
  }
}

const LINE_END = '\r\n';

/** Leaves messages out of the server's side of the NATS protocol. */
class MessageFilter {
  private rest: Buffer = Buffer.alloc(0);
  private readonly loses: (message: ProxiedMessage) => boolean;

  constructor(loses: (message: ProxiedMessage) => boolean) {
    this.loses = loses;
  }

  /** What of the bytes so far may go on. */
  take(chunk: Buffer): Buffer {
    this.rest = Buffer.concat([this.rest, chunk]);
    const passed: Buffer[] = [];
    for (let frame = this.nextFrame(); frame; frame = this.nextFrame()) {
      if (!frame.message || !this.loses(frame.message)) passed.push(frame.bytes);
    }
    return Buffer.concat(passed);
  }

  private nextFrame(): { readonly bytes: Buffer; readonly message: ProxiedMessage | undefined } | undefined {
    const lineEnd = this.rest.indexOf(LINE_END);
    if (lineEnd < 0) return undefined;
    const headEnd = lineEnd + LINE_END.length;
    const words = this.rest.toString('latin1', 0, lineEnd).split(' ');
    const isMessage = words[0] === 'MSG' || words[0] === 'HMSG';
    const payloadLength = isMessage ? Number(words.at(-1)) : 0;
    const end = isMessage ? headEnd + payloadLength + LINE_END.length : headEnd;
    if (this.rest.length < end) return undefined;
    const bytes = this.rest.subarray(0, end);
    this.rest = this.rest.subarray(end);
    const payload = bytes.toString('utf8', headEnd, headEnd + payloadLength);
    return { bytes, message: isMessage ? { subject: words[1] ?? '', payload } : undefined };
  }
}
