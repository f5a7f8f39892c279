/** The cluster's keys: an operator, one account for Plimsoll, one for NATS itself, and users signed by the account. */
import { encodeAccount, encodeOperator, encodeUser, newScopedSigner } from '@nats-io/jwt';
import { createAccount, createOperator, createUser, fromPublic, fromSeed, type KeyPair } from '@nats-io/nkeys';
import { z } from 'zod';
import { joinPermissions, type UserPermissions } from './permissions.ts';

const encoder = new TextEncoder();
const UNLIMITED = -1;

const trafficLimits = { subs: UNLIMITED, data: UNLIMITED, payload: UNLIMITED };
const accountLimits = {
  ...trafficLimits,
  conn: UNLIMITED,
  leaf: UNLIMITED,
  imports: UNLIMITED,
  exports: UNLIMITED,
  wildcards: true,
  mem_storage: UNLIMITED,
  disk_storage: UNLIMITED,
  streams: UNLIMITED,
  consumer: UNLIMITED,
};

/** Seeds of the cluster's keys: whoever has them is the cluster. */
export const ClusterKeys = z.object({
  operatorSeed: z.string(),
  accountSeed: z.string(),
  systemAccountSeed: z.string(),
  /** Signs users that may ask `plim.join` and nothing else: the server holds them to that. Travels in join tokens. */
  joinSigningSeed: z.string(),
});
export type ClusterKeys = z.infer<typeof ClusterKeys>;

/** A user's key pair as text. */
export interface UserKeys {
  readonly seed: string;
  readonly publicKey: string;
}

function seedOf(pair: KeyPair): string {
  return new TextDecoder().decode(pair.getSeed());
}

function pairOf(seed: string): KeyPair {
  return fromSeed(encoder.encode(seed));
}

export function createClusterKeys(): ClusterKeys {
  return {
    operatorSeed: seedOf(createOperator()),
    accountSeed: seedOf(createAccount()),
    systemAccountSeed: seedOf(createAccount()),
    joinSigningSeed: seedOf(createAccount()),
  };
}

export function createUserKeys(): UserKeys {
  const pair = createUser();
  return { seed: seedOf(pair), publicKey: pair.getPublicKey() };
}

export function publicKeyOf(seed: string): string {
  return pairOf(seed).getPublicKey();
}

/** The operator's word, made once: a running server does not take another, not even a newer one of the same operator. */
export function issueOperatorJwt(keys: ClusterKeys): Promise<string> {
  const system_account = publicKeyOf(keys.systemAccountSeed);
  return encodeOperator('plimsoll', pairOf(keys.operatorSeed), { system_account });
}

/** What a server needs to check the cluster's users. */
export interface ServerTrust {
  readonly operatorJwt: string;
  readonly accountPublicKey: string;
  readonly accountJwt: string;
  readonly systemAccountPublicKey: string;
  readonly systemAccountJwt: string;
}

/** `revokedAtSeconds`: public key of a user -> its tokens issued up to then are worth nothing. */
export async function serverTrust(
  keys: ClusterKeys,
  operatorJwt: string,
  revokedAtSeconds: Readonly<Record<string, number>>,
): Promise<ServerTrust> {
  const operator = pairOf(keys.operatorSeed);
  const account = pairOf(keys.accountSeed);
  const systemAccount = pairOf(keys.systemAccountSeed);
  const signer = { signer: operator };
  const accountClaims = {
    limits: accountLimits,
    revocations: { ...revokedAtSeconds },
    signing_keys: [newScopedSigner(pairOf(keys.joinSigningSeed), 'join', userClaims(joinPermissions))],
  };
  return {
    operatorJwt,
    accountPublicKey: account.getPublicKey(),
    accountJwt: await encodeAccount('plimsoll', account, accountClaims, signer),
    systemAccountPublicKey: systemAccount.getPublicKey(),
    systemAccountJwt: await encodeAccount('system', systemAccount, {}, signer),
  };
}

/** A token that lets the holder of `publicKey`'s seed into the cluster's account with these permissions. */
export function issueUserJwt(
  keys: ClusterKeys,
  name: string,
  publicKey: string,
  permissions: UserPermissions,
): Promise<string> {
  return encodeUser(name, fromPublic(publicKey), pairOf(keys.accountSeed), userClaims(permissions), {});
}

/** A user made by the holder of a join token, good for one thing: asking to be let in. */
export function issueJoinJwt(accountPublicKey: string, joinSigningSeed: string, publicKey: string): Promise<string> {
  const options = { scopedUser: true, signer: pairOf(joinSigningSeed) };
  return encodeUser('join', fromPublic(publicKey), accountPublicKey, {}, options);
}

function userClaims(permissions: UserPermissions) {
  return {
    ...trafficLimits,
    pub: { allow: [...permissions.publish] },
    sub: { allow: [...permissions.subscribe] },
  };
}
