/** What a process needs to be let into the cluster's NATS: its user and where to go. Kept in files only root may read. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Id } from '../../model/record-format.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';

const Connection = z.object({
  v: z.literal(1),
  clusterId: Id,
  /** Seed of the user's nkey; the private half never leaves this host. */
  seed: z.string(),
  /** The cluster's word on what this user may do. */
  jwt: z.string(),
  natsUrls: z.array(z.string()).min(1),
  /** The cluster's certificate authority: the only one a server of it is believed by. */
  caPem: z.string(),
});

export const NodeIdentity = Connection.extend({ role: z.literal('node'), nodeId: Id });
export type NodeIdentity = z.infer<typeof NodeIdentity>;

export const CoordinatorIdentity = Connection.extend({
  role: z.literal('coordinator'),
  coordinatorId: Id,
  /** Part of the subjects coordinators write buckets through (see bus/kv-layout): no node may know it. */
  writeSecret: z.string(),
});
export type CoordinatorIdentity = z.infer<typeof CoordinatorIdentity>;

export type UserIdentity = NodeIdentity | CoordinatorIdentity;

/** The name a user's inboxes, connections and consumers carry. */
export function userNameOf(identity: UserIdentity): string {
  return identity.role === 'node' ? identity.nodeId : identity.coordinatorId;
}

export function nodeIdentityFile(stateDir: string): string {
  return join(stateDir, 'node', 'identity.json');
}

export function coordinatorIdentityFile(stateDir: string): string {
  return join(stateDir, 'cluster', 'coordinator.json');
}

/** This host's node identity; throws `not-found` when it is no node yet, `invalid` when the file is damaged. */
export function readNodeIdentity(stateDir: string): NodeIdentity {
  return readPrivateJson(nodeIdentityFile(stateDir), NodeIdentity, 'join a cluster first: plim join');
}

export function writeNodeIdentity(stateDir: string, identity: NodeIdentity): void {
  writePrivateJson(nodeIdentityFile(stateDir), identity);
}

/** The identity of this host's coordinator; throws like `readNodeIdentity`. */
export function readCoordinatorIdentity(stateDir: string): CoordinatorIdentity {
  return readPrivateJson(coordinatorIdentityFile(stateDir), CoordinatorIdentity, 'create a cluster first: plim up');
}

export function writeCoordinatorIdentity(stateDir: string, identity: CoordinatorIdentity): void {
  writePrivateJson(coordinatorIdentityFile(stateDir), identity);
}

/** Parses a JSON file. `remedy` says what to do when it is not there. */
export function readPrivateJson<T>(path: string, schema: z.ZodType<T>, remedy: string): T {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new PlimsollError('not-found', `Cannot read ${path}: ${messageOf(error)}; ${remedy}`, { cause: error });
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new PlimsollError('invalid', `Cannot use ${path}: ${problem}`, { cause: error });
  }
}

/** Replaces a file in one step; only its owner may read it or its folder. */
export function writePrivateFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.new`;
  writeFileSync(unfinished, text, { mode: 0o600, flush: true });
  renameSync(unfinished, path);
}

export function writePrivateJson(path: string, value: unknown): void {
  writePrivateFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
