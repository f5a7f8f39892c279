/** One connection to NATS with the deadlines and patience Plimsoll wants of it. */
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { Clock } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { BusMetrics } from './bus-metrics.ts';
import { measureConnection } from './connection-metrics.ts';
import { requestTimeoutMs } from './deadlines.ts';

/** Who connects. `jwt` is asked for at every (re)connect, so that a renewed one is used. */
export interface NatsUser {
  /** Own inboxes are `_INBOX.<name>.>`. */
  readonly name: string;
  readonly jwt: () => string;
  readonly seed: string;
}

export interface ConnectionOptions {
  readonly urls: readonly string[];
  readonly user: NatsUser;
  /** The only authority servers are believed by; used for `tls://` addresses. */
  readonly caPem: string;
  /** Shown in the server's connection list: `state`, `beats`, `streams`. */
  readonly purpose: string;
  /** Keep trying when no server answers at first; else throws `unavailable`. */
  readonly waitForServer: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BusMetrics;
}

const CONNECT_TIMEOUT_MS = 2_000;
/** Beats and state must notice a dead server at once. A connection for log streams is idle most of its life. */
const PING_INTERVAL_MS = 500;
const IDLE_PING_INTERVAL_MS = 5_000;
const PINGS_MISSED = 2;
const RECONNECT_WAIT_MS = 100;

/** A live connection: its state, and JetStream over it. Reconnects for ever until closed. */
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
  const { user } = options;
  try {
    const connection = await connect({
      servers: [...options.urls],
      name: `plimsoll ${options.purpose} ${user.name}`,
      authenticator: jwtAuthenticator(user.jwt, new TextEncoder().encode(user.seed)),
      inboxPrefix: `_INBOX.${user.name}`,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: options.purpose === 'streams' ? IDLE_PING_INTERVAL_MS : PING_INTERVAL_MS,
      maxPingOut: PINGS_MISSED,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      reconnectJitter: RECONNECT_WAIT_MS,
      reconnectJitterTLS: RECONNECT_WAIT_MS,
      maxReconnectAttempts: -1,
      waitOnFirstConnect: options.waitForServer,
      // A user that was refused once may be let in again: a clock was wrong, a server was not yet told.
      ignoreAuthErrorAbort: true,
      // Nodes are told where servers are; what servers say of each other may be addresses nobody else can reach.
      ignoreClusterUpdates: true,
      ...(usesTls(options.urls) ? { tls: pinnedTls(options.caPem) } : {}),
    });
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: requestTimeoutMs });
    const link = new NatsLink(connection, manager, user.name);
    void followStatus(link, options);
    measure(link, options);
    return link;
  } catch (error) {
    throw new PlimsollError(
      'unavailable',
      `Cannot connect to NATS at ${options.urls.join(', ')}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function usesTls(urls: readonly string[]): boolean {
  return urls.some((url) => url.startsWith('tls://'));
}

/** The authority signs nothing but this cluster's servers: its word is enough, whatever name we dialled. */
function pinnedTls(caPem: string): { ca: string; checkServerIdentity: () => undefined } {
  return { ca: caPem, checkServerIdentity: () => undefined };
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
