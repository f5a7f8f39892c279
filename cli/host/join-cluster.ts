/** A host's part in a cluster: founding one, and being a node of it. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { connectBus } from '../../bus/connect-bus.ts';
import {
  adoptCluster,
  type Cluster,
  clusterFile,
  createCluster,
  issueNodeIdentity,
  openCluster,
  readClusterCopy,
} from '../../bus/identity/cluster.ts';
import { joinCluster, registerNode } from '../../bus/identity/join.ts';
import { parseJoinToken } from '../../bus/identity/join-token.ts';
import { publicKeyOf } from '../../bus/identity/keys.ts';
import {
  nodeIdentityFile,
  readCoordinatorIdentity,
  readNodeIdentity,
  readPrivateJson,
  writeNodeIdentity,
} from '../../bus/identity/user-identity.ts';
import { Id } from '../../model/record-format.ts';
import type { Clock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { programVersion } from '../../runtime/version.ts';

export const DEFAULT_NATS_PORT = 4222;

/** Where a new cluster is to be found. */
export interface ClusterPlace {
  readonly address: string;
  readonly natsPort: number;
}

export function hostsCluster(stateDir: string): boolean {
  return existsSync(clusterFile(stateDir));
}

export function isNode(stateDir: string): boolean {
  return existsSync(nodeIdentityFile(stateDir));
}

/**
 * The cluster this host holds, made if there is none. A cluster advertised at a loopback address listens nowhere else.
 * Throws `conflict` when the host is a node of another cluster or its cluster has another address.
 */
export async function foundCluster(stateDir: string, place: ClusterPlace, clock: Clock): Promise<Cluster> {
  if (hostsCluster(stateDir)) {
    const cluster = openCluster(stateDir);
    return cluster.servesNats ? requireAddress(cluster, place.address) : cluster;
  }
  if (isNode(stateDir)) {
    const { clusterId } = readNodeIdentity(stateDir);
    throw new PlimsollError(
      'conflict',
      `This host is a node of the cluster ${clusterId} already: "plim leave" ends that`,
    );
  }
  const listenHost = place.address.startsWith('127.') ? '127.0.0.1' : '0.0.0.0';
  const advertisedHosts = [place.address];
  return createCluster(stateDir, { listenHost, port: place.natsPort, advertisedHosts, nowMs: clock.wallMs() });
}

/**
 * The cluster in a copy of its first coordinator's cluster.json, which this host is to have a further coordinator of;
 * once adopted, the copy may go. Throws `conflict` when the host belongs to another cluster or serves this one's NATS
 * itself, and as `adoptCluster` does.
 */
export async function furtherCluster(stateDir: string, file: string): Promise<Cluster> {
  const current = hostsCluster(stateDir) ? openCluster(stateDir) : undefined;
  if (current?.servesNats) {
    throw new PlimsollError(
      'conflict',
      `Cannot adopt ${file}: this host runs the NATS server of the cluster ${current.clusterId} itself; start its coordinator without --cluster-file`,
    );
  }
  if (current && !existsSync(file)) return current;
  const { clusterId } = readClusterCopy(file);
  const belongsTo = clusterIdOf(stateDir);
  if (belongsTo !== undefined && belongsTo !== clusterId) {
    throw new PlimsollError(
      'conflict',
      `Cannot adopt ${file}: it is of the cluster ${clusterId}, and this host belongs to the cluster ${belongsTo}`,
    );
  }
  return current ?? adoptCluster(stateDir, file);
}

function requireAddress(cluster: Cluster, advertiseAddress: string): Cluster {
  const current = cluster.nats.advertisedHosts;
  if (current.includes(advertiseAddress)) return cluster;
  throw new PlimsollError(
    'conflict',
    `Cannot advertise ${advertiseAddress}: this cluster is known at ${current.join(', ')}. Use --advertise ${current[0]}, or start anew with "plim down --purge"`,
  );
}

/** The address other hosts know this one by, if it founded a cluster. */
export function clusterAddress(stateDir: string): string | undefined {
  const cluster = hostsCluster(stateDir) ? openCluster(stateDir) : undefined;
  return cluster?.servesNats ? cluster.nats.advertisedHosts[0] : undefined;
}

/** Makes the host of a coordinator a node of its own cluster, once; answers the node's id. NATS must be up. */
export async function joinLocally(stateDir: string, clock: Clock): Promise<string> {
  const cluster = openCluster(stateDir);
  if (!isNode(stateDir)) writeNodeIdentity(stateDir, await issueNodeIdentity(cluster));
  const { nodeId, seed } = readNodeIdentity(stateDir);
  const { bus, buckets } = await connectBus({
    identity: readCoordinatorIdentity(stateDir),
    purpose: 'cli',
    waitForServer: false,
    clock,
    log: createLog('plim', 'error'),
    registry: createMetrics('plim', programVersion()),
  });
  try {
    await registerNode({ buckets, clock }, nodeId, publicKeyOf(seed), 'manager');
  } finally {
    await bus.close();
  }
  return nodeId;
}

/**
 * Asks the cluster at `address` to let this host in, once; answers the node's id. Throws `conflict` when the host
 * belongs to another cluster, and as `joinCluster` does.
 */
export async function joinRemotely(stateDir: string, token: string, address: string, clock: Clock): Promise<string> {
  const wanted = parseJoinToken(token).clusterId;
  const current = clusterIdOf(stateDir);
  if (current !== undefined && current !== wanted) {
    throw new PlimsollError('conflict', `This host belongs to the cluster ${current} already: "plim leave" ends that`);
  }
  if (isNode(stateDir)) return readNodeIdentity(stateDir).nodeId;
  const log = createLog('plim', 'error');
  const registry = createMetrics('plim', programVersion());
  const identity = await joinCluster({ token, address, hostname: hostname(), clock, log, registry });
  writeNodeIdentity(stateDir, identity);
  return identity.nodeId;
}

/**
 * The cluster this host belongs to, as its coordinator's host or as a node; undefined when to none. Reads no more than
 * that, so that a host can be cleared of a cluster another version of Plimsoll made.
 */
export function clusterIdOf(stateDir: string): string | undefined {
  const file = [clusterFile(stateDir), nodeIdentityFile(stateDir)].find((path) => existsSync(path));
  return file && readPrivateJson(file, z.object({ clusterId: Id }), 'remove the state directory by hand').clusterId;
}
