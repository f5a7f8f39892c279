/** A cluster's own secrets, `<state-dir>/cluster/`: made once, read by its coordinators and its NATS server. */
import { hkdfSync } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Id } from '../../model/record-format.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { randomId } from '../../runtime/identifiers.ts';
import { certificateFingerprint, createAuthority, createServerCertificate } from './certificates.ts';
import { formatJoinToken } from './join-token.ts';
import { ClusterKeys, createClusterKeys, createUserKeys, issueOperatorJwt, issueUserJwt, publicKeyOf } from './keys.ts';
import { coordinatorPermissions, nodePermissions } from './permissions.ts';
import {
  type CoordinatorIdentity,
  coordinatorIdentityFile,
  type NodeIdentity,
  readPrivateJson,
  writeCoordinatorIdentity,
  writePrivateJson,
} from './user-identity.ts';

const Certificate = z.object({ certificatePem: z.string(), privateKeyPem: z.string() });

export const Cluster = z.object({
  v: z.literal(1),
  clusterId: Id,
  /** False on the host of a further coordinator: the NATS server, and the word on who is let in, are elsewhere. */
  servesNats: z.boolean().default(true),
  keys: ClusterKeys,
  operatorJwt: z.string(),
  /** Part of the subjects coordinators write buckets through: no node may know it. */
  writeSecret: z.string(),
  authority: Certificate,
  serverCertificate: Certificate,
  nats: z.object({
    serverName: z.string(),
    /** 127.0.0.1 keeps the cluster to this host; 0.0.0.0 lets other hosts in, over TLS. */
    listenHost: z.string(),
    port: z.int(),
    /** Addresses or names other hosts reach this server by. */
    advertisedHosts: z.array(z.string()).min(1),
  }),
  /** Public keys of users whose tokens are worth nothing any more -> issued up to when, in seconds since 1970. */
  revokedAtSeconds: z.record(z.string(), z.int()),
});
export type Cluster = z.infer<typeof Cluster>;

export interface ClusterOptions {
  readonly listenHost: string;
  readonly port: number;
  readonly advertisedHosts: readonly string[];
  readonly nowMs: number;
}

export function clusterFile(stateDir: string): string {
  return join(stateDir, 'cluster', 'cluster.json');
}

/** The cluster of this state directory, made if there is none, with its coordinator's identity beside it. */
export async function createCluster(stateDir: string, options: ClusterOptions): Promise<Cluster> {
  const cluster = existsSync(clusterFile(stateDir)) ? openCluster(stateDir) : await newCluster(options);
  writePrivateJson(clusterFile(stateDir), cluster);
  if (!existsSync(coordinatorIdentityFile(stateDir))) {
    writeCoordinatorIdentity(stateDir, await issueCoordinatorIdentity(cluster));
  }
  return cluster;
}

/**
 * Makes this host, which holds no cluster, the host of a further coordinator of the cluster in `file`, a copy of the
 * first one's cluster.json. Throws `not-found` or `invalid` for the file, `refused` when others may read it or when the
 * cluster lets no other host in.
 */
export async function adoptCluster(stateDir: string, file: string): Promise<Cluster> {
  const original = readClusterCopy(file);
  if (isLoopback(original.nats.listenHost)) {
    throw new PlimsollError(
      'refused',
      `Cannot serve the cluster of ${file}: its NATS server listens on ${original.nats.listenHost} only; found the cluster with an --advertise address that other hosts reach`,
    );
  }
  const cluster: Cluster = { ...original, servesNats: false };
  // The identity first: a host with a cluster file is one that can start.
  writeCoordinatorIdentity(stateDir, await issueCoordinatorIdentity(cluster));
  writePrivateJson(clusterFile(stateDir), cluster);
  return cluster;
}

/** The cluster in a copied file, which only its owner may be able to read: whoever has it is the cluster. */
export function readClusterCopy(file: string): Cluster {
  const cluster = readPrivateJson(file, Cluster, "copy the first coordinator's <state-dir>/cluster/cluster.json here");
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) === 0) return cluster;
  throw new PlimsollError(
    'refused',
    `Cannot use ${file}: its mode is 0${mode.toString(8)}, wanted is 0600, for it holds the cluster's keys: chmod 600 ${file}`,
  );
}

/** Throws `not-found` when this host holds no cluster, `invalid` when its file is damaged. */
export function openCluster(stateDir: string): Cluster {
  return readPrivateJson(clusterFile(stateDir), Cluster, 'create a cluster first: plim up');
}

export function saveCluster(stateDir: string, cluster: Cluster): void {
  writePrivateJson(clusterFile(stateDir), cluster);
}

/**
 * The key the contents of secrets and configs are sealed under, 32 bytes. It follows from the operator's seed, which no node
 * and no bucket ever sees: every coordinator of the cluster has it, and so has every backup of this folder.
 */
export function contentKeyOf({ keys, clusterId }: Pick<Cluster, 'keys' | 'clusterId'>): Buffer {
  return Buffer.from(hkdfSync('sha256', keys.operatorSeed, clusterId, 'plimsoll contents of secrets and configs', 32));
}

/** What `plim token` prints. */
export function joinTokenOf(cluster: Cluster): string {
  return formatJoinToken({
    clusterId: cluster.clusterId,
    authorityFingerprint: certificateFingerprint(cluster.authority.certificatePem),
    accountPublicKey: publicKeyOf(cluster.keys.accountSeed),
    signingSeed: cluster.keys.joinSigningSeed,
  });
}

/** Where nodes find the bus. */
export function natsUrlsOf(cluster: Cluster): string[] {
  return cluster.nats.advertisedHosts.map((host) => `${schemeOf(cluster)}://${host}:${cluster.nats.port}`);
}

/** What `plim join` takes behind the token: where the NATS server is, `host:port`. */
export function joinAddressOf({ nats }: Cluster): string {
  return `${nats.advertisedHosts[0]}:${nats.port}`;
}

/** The token of a node's user, for a key pair whose private half stays on that node. */
export function issueNodeJwt(cluster: Cluster, nodeId: string, publicKey: string): Promise<string> {
  return issueUserJwt(cluster.keys, nodeId, publicKey, nodePermissions(nodeId));
}

/** The identity of a node made on the spot: for the host the cluster is created on. */
export async function issueNodeIdentity(cluster: Cluster, nodeId = randomId()): Promise<NodeIdentity> {
  const { seed, publicKey } = createUserKeys();
  return {
    v: 1,
    role: 'node',
    nodeId,
    clusterId: cluster.clusterId,
    seed,
    jwt: await issueNodeJwt(cluster, nodeId, publicKey),
    natsUrls: natsUrlsOf(cluster),
    caPem: cluster.authority.certificatePem,
  };
}

export async function issueCoordinatorIdentity(cluster: Cluster): Promise<CoordinatorIdentity> {
  const { seed, publicKey } = createUserKeys();
  const coordinatorId = randomId();
  const ownUrl = `${schemeOf(cluster)}://127.0.0.1:${cluster.nats.port}`;
  return {
    v: 1,
    role: 'coordinator',
    coordinatorId,
    clusterId: cluster.clusterId,
    seed,
    writeSecret: cluster.writeSecret,
    jwt: await issueUserJwt(cluster.keys, coordinatorId, publicKey, coordinatorPermissions),
    natsUrls: [...(cluster.servesNats ? [ownUrl] : []), ...natsUrlsOf(cluster)],
    caPem: cluster.authority.certificatePem,
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function schemeOf(cluster: Cluster): 'nats' | 'tls' {
  return isLoopback(cluster.nats.listenHost) ? 'nats' : 'tls';
}

async function newCluster(options: ClusterOptions): Promise<Cluster> {
  const clusterId = randomId();
  const keys = createClusterKeys();
  const authority = await createAuthority(clusterId, options.nowMs);
  const hosts = [...new Set([...options.advertisedHosts, '127.0.0.1', 'localhost', hostname()])];
  return {
    v: 1,
    clusterId,
    servesNats: true,
    keys,
    operatorJwt: await issueOperatorJwt(keys),
    writeSecret: randomId(),
    authority,
    serverCertificate: await createServerCertificate(authority, hosts, options.nowMs),
    nats: {
      serverName: `plimsoll-${randomId()}`,
      listenHost: options.listenHost,
      port: options.port,
      advertisedHosts: [...options.advertisedHosts],
    },
    revokedAtSeconds: {},
  };
}
