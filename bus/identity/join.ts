/** How a host becomes a node: it makes its own key, shows the join token's right to ask, and gets a token for that key. */
import { z } from 'zod';
import { hostnameProblem } from '../../model/hostname.ts';
import { JoinReply, JoinRequest, type JoinReply as Reply } from '../../model/messages.ts';
import type { NodeSpecRecord } from '../../model/node-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { randomId } from '../../runtime/identifiers.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Buckets } from '../buckets.ts';
import type { Bus, Subscription } from '../bus.ts';
import { busMetrics } from '../bus-metrics.ts';
import { openLink } from '../nats-connection.ts';
import { NatsWire } from '../nats-wire.ts';
import { subjects } from '../subjects.ts';
import { WireBus } from '../wire-bus.ts';
import { type Cluster, issueNodeJwt, natsUrlsOf } from './cluster.ts';
import { parseJoinToken } from './join-token.ts';
import { createUserKeys, issueJoinJwt, type UserKeys } from './keys.ts';
import { pinnedAuthority } from './pinned-authority.ts';
import type { NodeIdentity } from './user-identity.ts';

const JOIN_TIMEOUT_MS = 10_000;
const DEFAULT_PORT = 4222;

export interface JoinServerParts {
  readonly bus: Bus;
  readonly buckets: Buckets;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
}

/** Answers joining hosts; every coordinator that holds the cluster's keys may. */
export function serveJoins(parts: JoinServerParts): Subscription {
  return parts.bus.respond(subjects.join, JoinRequest, (request) => admit(parts, request));
}

/** Lets a host in, or says why not. A host that names a node id it had keeps it, if the key is the same. */
export async function admit(parts: JoinServerParts, request: z.infer<typeof JoinRequest>): Promise<Reply> {
  const { cluster, log } = parts;
  const nodeId = request.nodeId ?? randomId();
  try {
    checkHostname(request.hostname);
    await registerNode(parts, nodeId, request.publicKey);
    log.info({ nodeId, hostname: request.hostname }, 'a host joined the cluster');
    return {
      accepted: true,
      nodeId,
      clusterId: cluster.clusterId,
      jwt: await issueNodeJwt(cluster, nodeId, request.publicKey),
      natsUrls: natsUrlsOf(cluster),
      caPem: cluster.authority.certificatePem,
    };
  } catch (error) {
    log.warn({ hostname: request.hostname, error: messageOf(error) }, 'a host could not join');
    return { accepted: false, error: messageOf(error) };
  }
}

function checkHostname(hostname: string): void {
  const problem = hostnameProblem(hostname);
  if (problem === undefined) return;
  throw new PlimsollError('invalid', `Cannot join: the hostname ${JSON.stringify(hostname)} ${problem}`);
}

/** Writes a node's wish record if there is none; throws `refused` when the id belongs to another key. */
export async function registerNode(
  parts: Pick<JoinServerParts, 'buckets' | 'clock'>,
  nodeId: string,
  publicKey: string,
  role: NodeSpecRecord['role'] = 'worker',
): Promise<void> {
  const { nodeSpecs } = parts.buckets;
  const known = await nodeSpecs.get(nodeId);
  if (known && known.value.publicKey !== publicKey) {
    throw new PlimsollError('refused', `Cannot join as node ${nodeId}: that id belongs to a host with another key`);
  }
  if (known) return;
  const nowMs = parts.clock.wallMs();
  await nodeSpecs.create(nodeId, {
    v: 1,
    id: nodeId,
    labels: {},
    role,
    availability: 'active',
    publicKey,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  });
}

export interface JoinOptions {
  readonly token: string;
  /** A coordinator's host: `host` or `host:port`, port 4222 by default. */
  readonly address: string;
  readonly hostname: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Metrics;
  /** To come back as the node this host was: its id and key. */
  readonly former?: { readonly nodeId: string; readonly seed: string; readonly publicKey: string };
}

/**
 * Asks the cluster at `address` to be let in; answers the identity to write down. Throws `invalid` for a bad token,
 * `refused` when the server there is not the token's cluster or will not have us, `unavailable` when nobody answers.
 */
export async function joinCluster(options: JoinOptions): Promise<NodeIdentity> {
  const token = parseJoinToken(options.token);
  const { host, port } = parseAddress(options.address);
  const authority = await pinnedAuthority(host, port, token.authorityFingerprint, options.clock);
  const keys = options.former ?? createUserKeys();
  const reply = await askToJoin(options, keys, {
    url: `tls://${host}:${port}`,
    caPem: authority,
    jwt: (publicKey) => issueJoinJwt(token.accountPublicKey, token.signingSeed, publicKey),
  });
  if (!reply.accepted) throw new PlimsollError('refused', `The cluster at ${options.address} refused: ${reply.error}`);
  const { nodeId, clusterId, jwt, natsUrls, caPem } = reply;
  return { v: 1, role: 'node', nodeId, clusterId, seed: keys.seed, jwt, natsUrls, caPem };
}

interface JoinServer {
  readonly url: string;
  readonly caPem: string;
  readonly jwt: (publicKey: string) => Promise<string>;
}

async function askToJoin(options: JoinOptions, keys: UserKeys, server: JoinServer): Promise<Reply> {
  const { clock, log } = options;
  const metrics = busMetrics(options.registry);
  const asker = createUserKeys();
  const jwt = await server.jwt(asker.publicKey);
  const link = await openLink({
    urls: [server.url],
    user: { name: asker.publicKey, jwt: () => jwt, seed: asker.seed },
    caPem: server.caPem,
    purpose: 'join',
    waitForServer: false,
    clock,
    log,
    metrics,
  });
  const bus = new WireBus({ wire: new NatsWire(link, clock, log), clock, log, metrics });
  try {
    const nodeId = options.former?.nodeId;
    const request = { publicKey: keys.publicKey, hostname: options.hostname, ...(nodeId ? { nodeId } : {}) };
    return await bus.request(subjects.join, request, JoinReply, JOIN_TIMEOUT_MS);
  } finally {
    await bus.close();
  }
}

function parseAddress(address: string): { host: string; port: number } {
  const parts = /^(?<host>[^:]+|\[[^\]]+\])(?::(?<port>\d+))?$/.exec(address.trim());
  const host = parts?.groups?.host?.replaceAll(/[[\]]/g, '');
  if (!host) throw new PlimsollError('invalid', `This is no address: "${address}"; wanted: HOST or HOST:PORT`);
  return { host, port: Number(parts?.groups?.port ?? DEFAULT_PORT) };
}
