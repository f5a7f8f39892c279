/** Dials NATS as every connection of ours is dialled. Loads the transport and nothing else: the beat thread has to be small. */
import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { messageOf, PlimsollError } from '../runtime/errors.ts';

/** Who connects. `jwt` is asked for at every (re)connect, so that a renewed one is used. */
export interface NatsUser {
  /** Own inboxes are `_INBOX.<name>.>`. */
  readonly name: string;
  readonly jwt: () => string;
  readonly seed: string;
}

export interface DialOptions {
  readonly urls: readonly string[];
  readonly user: NatsUser;
  /** The only authority servers are believed by; used for `tls://` addresses. */
  readonly caPem: string;
  /** Shown in the server's connection list: `state`, `beats`, `streams`. */
  readonly purpose: string;
  /** Keep trying when no server answers at first; else throws `unavailable`. */
  readonly waitForServer: boolean;
}

const CONNECT_TIMEOUT_MS = 2_000;
/** Beats and state must notice a dead server at once. A connection for log streams is idle most of its life. */
const PING_INTERVAL_MS = 500;
const IDLE_PING_INTERVAL_MS = 5_000;
const PINGS_MISSED = 2;
const RECONNECT_WAIT_MS = 100;

/** Connects, and again for ever until closed; throws `unavailable` when no server lets us in at first. */
export async function dialNats({ urls, user, caPem, purpose, waitForServer }: DialOptions): Promise<NatsConnection> {
  try {
    return await connect({
      servers: [...urls],
      name: `plimsoll ${purpose} ${user.name}`,
      authenticator: jwtAuthenticator(user.jwt, new TextEncoder().encode(user.seed)),
      inboxPrefix: `_INBOX.${user.name}`,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: purpose === 'streams' ? IDLE_PING_INTERVAL_MS : PING_INTERVAL_MS,
      maxPingOut: PINGS_MISSED,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      reconnectJitter: RECONNECT_WAIT_MS,
      reconnectJitterTLS: RECONNECT_WAIT_MS,
      maxReconnectAttempts: -1,
      // Else each request makes an error, with its stack, for the case that it fails: a twentieth of a busy coordinator.
      noAsyncTraces: true,
      waitOnFirstConnect: waitForServer,
      // A user that was refused once may be let in again: a clock was wrong, a server was not yet told.
      ignoreAuthErrorAbort: true,
      // Nodes are told where servers are; what servers say of each other may be addresses nobody else can reach.
      ignoreClusterUpdates: true,
      ...(usesTls(urls) ? { tls: pinnedTls(caPem) } : {}),
    });
  } catch (error) {
    const message = `Cannot connect to NATS at ${urls.join(', ')}: ${messageOf(error)}`;
    throw new PlimsollError('unavailable', message, { cause: error });
  }
}

function usesTls(urls: readonly string[]): boolean {
  return urls.some((url) => url.startsWith('tls://'));
}

/** The authority signs nothing but this cluster's servers: its word is enough, whatever name we dialled. */
function pinnedTls(caPem: string): { ca: string; checkServerIdentity: () => undefined } {
  return { ca: caPem, checkServerIdentity: () => undefined };
}
