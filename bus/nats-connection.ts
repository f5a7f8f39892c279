/** One connection to NATS with the deadlines and patience Plimsoll wants of it. */
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Clock } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { BusMetrics } from './bus-metrics.ts';
import { measureConnection } from './connection-metrics.ts';
import { requestTimeoutMs } from './deadlines.ts';
import { type DialOptions, dialNats } from './dial-nats.ts';

export interface ConnectionOptions extends DialOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BusMetrics;
}

/** A live connection: its state, and JetStream over it. Reconnects for ever until closed. */
/** Of a server: major and minor. */
export type Version = readonly [major: number, minor: number];

export class NatsLink {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly userName: string;
  connected = true;
  /** Closed for good: it never comes back. */
  closed = false;
  private readonly listeners = new Set<(connected: boolean) => void>();

  constructor(connection: NatsConnection, manager: JetStreamManager, userName: string) {
    this.connection = connection;
    this.jetstream = jetstream(connection, { timeout: requestTimeoutMs });
    this.manager = manager;
    this.userName = userName;
  }

  /** Whether the server connected to now is of this version or a newer one. */
  serverIsSince([wantedMajor, wantedMinor]: Version): boolean {
    const [major = 0, minor = 0] = (this.connection.info?.version ?? '').split('.').map(Number);
    return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  }

  onConnectionChange(listener: (connected: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  setConnected(connected: boolean): void {
    if (this.connected === connected) return;
    this.connected = connected;
    for (const listener of this.listeners) listener(connected);
  }

  /** Throws `unavailable` at once instead of letting a call wait for its deadline. */
  requireConnected(): void {
    if (!this.connected) throw new PlimsollError('unavailable', 'Cannot reach NATS: the connection is down');
  }

  inbox(): string {
    return `_INBOX.${this.userName}.${crypto.randomUUID()}`;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.connection.close();
    this.setConnected(false);
    this.listeners.clear();
  }
}

/** Connects; throws `unavailable` when no server lets us in (and `waitForServer` is off). */
export async function openLink(options: ConnectionOptions): Promise<NatsLink> {
  const connection = await dialNats(options);
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: requestTimeoutMs });
  const link = new NatsLink(connection, manager, options.user.name);
  void followStatus(link, options);
  measure(link, options);
  return link;
}

/** Until the connection is closed: the wait between two looks ends with it. */
function measure(link: NatsLink, { clock, metrics, purpose }: ConnectionOptions): void {
  const closed = new AbortController();
  void link.connection.closed().then(() => closed.abort());
  metrics.connected.set({ connection: purpose }, 1);
  link.onConnectionChange((connected) => metrics.connected.set({ connection: purpose }, connected ? 1 : 0));
  const isConnected = () => link.connected;
  void measureConnection({ connection: link.connection, isConnected, purpose, clock, metrics }, closed.signal);
}

async function followStatus(link: NatsLink, options: ConnectionOptions): Promise<void> {
  const { log, metrics, purpose } = options;
  for await (const status of link.connection.status()) {
    switch (status.type) {
      case 'disconnect':
        log.warn({ purpose, server: status.server }, 'lost the connection to NATS');
        link.setConnected(false);
        break;
      case 'reconnect':
        log.info({ purpose, server: status.server }, 'connected to NATS again');
        metrics.reconnects.inc();
        link.setConnected(true);
        break;
      case 'error':
        metrics.serverErrors.inc({ connection: purpose });
        log.warn({ purpose, error: messageOf(status.error) }, 'NATS refused something');
        break;
      case 'slowConsumer':
        metrics.slowConsumers.inc({ connection: purpose });
        log.warn({ purpose, pending: status.pending }, 'messages arrive faster than they are read');
        break;
      default:
        break;
    }
  }
  link.setConnected(false);
}
