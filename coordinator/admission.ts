/**
 * Who is let into the cluster, and who no longer is. Any coordinator lets hosts in; what changes the NATS server's own
 * trust happens beside that server, and the other coordinators ask for it there.
 */
import { z } from 'zod';
import type { Buckets } from '../bus/buckets.ts';
import type { Bus, Subscription } from '../bus/bus.ts';
import { type Cluster, joinTokenOf, openCluster } from '../bus/identity/cluster.ts';
import { serveJoins } from '../bus/identity/join.ts';
import { revokeUser, rotateJoinToken } from '../bus/server/nats-server.ts';
import { subjects } from '../bus/subjects.ts';
import { JoinTokenReply, RevokeRequest } from '../model/messages.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { SerialQueue } from '../runtime/serial-queue.ts';
import type { ClusterAccess } from './api/native/native-api.ts';

/** Everything but reading can fail with `unavailable`: the coordinator that can do it is away. */
export interface AdmissionAuthority extends ClusterAccess {
  /** Takes the credentials of the node with this public key away. */
  revoke(publicKey: string): Promise<void>;
}

export interface Admission extends AdmissionAuthority {
  /** Answers hosts that want to join and, beside the NATS server, the other coordinators. */
  serve(): Subscription;
}

export interface AdmissionParts {
  readonly stateDir: string;
  readonly bus: Bus;
  readonly buckets: Buckets;
  readonly clock: Clock;
  readonly log: Log;
}

const ASK_TIMEOUT_MS = 5_000;

/** Throws `not-found` when this host holds no cluster. */
export function createAdmission(parts: AdmissionParts): Admission {
  const { stateDir, bus, clock } = parts;
  const cluster = openCluster(stateDir);
  const authority = cluster.servesNats ? localAuthority(stateDir, clock) : remoteAuthority(bus, cluster);
  const serve = () => {
    const served = [serveJoins({ ...parts, cluster })];
    if (cluster.servesNats) served.push(...serveAuthority(bus, authority));
    return {
      stop: () => {
        for (const each of served) each.stop();
      },
    };
  };
  return { ...authority, serve };
}

/** Changes the cluster's file and the running server's configuration, one change after the other. */
export function localAuthority(stateDir: string, clock: Clock): AdmissionAuthority {
  const changes = new SerialQueue();
  return {
    joinToken: async () => joinTokenOf(openCluster(stateDir)),
    rotateJoinToken: () => changes.run(async () => joinTokenOf(await rotateJoinToken(stateDir))),
    revoke: (publicKey) => changes.run(() => revokeUser(stateDir, publicKey, clock.wallMs())),
  };
}

/** Answers the coordinators on other hosts; nodes cannot send to these subjects. */
export function serveAuthority(bus: Pick<Bus, 'respond'>, authority: AdmissionAuthority): Subscription[] {
  return [
    bus.respond(subjects.clusterKeys('token'), z.null(), async () => ({ token: await authority.joinToken() })),
    bus.respond(subjects.clusterKeys('rotate'), z.null(), async () => ({ token: await authority.rotateJoinToken() })),
    bus.respond(subjects.clusterKeys('revoke'), RevokeRequest, async ({ publicKey }) => {
      await authority.revoke(publicKey);
      return null;
    }),
  ];
}

/** Asks the coordinator beside the NATS server. Our own copy of the keys may be old and would convince nobody. */
export function remoteAuthority(bus: Pick<Bus, 'request'>, { nats }: Pick<Cluster, 'nats'>): AdmissionAuthority {
  const ask = async <T>(verb: string, what: string, message: unknown, reply: z.ZodType<T>): Promise<T> => {
    try {
      return await bus.request(subjects.clusterKeys(verb), message, reply, ASK_TIMEOUT_MS);
    } catch (error) {
      throw awayFrom(nats.advertisedHosts, what, error);
    }
  };
  return {
    joinToken: async () => (await ask('token', 'tell the join token', null, JoinTokenReply)).token,
    rotateJoinToken: async () => (await ask('rotate', 'make a new join token', null, JoinTokenReply)).token,
    revoke: async (publicKey) =>
      void (await ask('revoke', "take the node's credentials away", { publicKey }, z.null())),
  };
}

/** What the asked coordinator itself refused stays as it said it. */
function awayFrom(hosts: readonly string[], what: string, error: unknown): unknown {
  const isAway = error instanceof PlimsollError && (error.code === 'unavailable' || error.code === 'timeout');
  if (!isAway) return error;
  return new PlimsollError(
    'unavailable',
    `Cannot ${what}: only the coordinator on ${hosts.join(', ')}, beside the NATS server, can, and it does not answer (${error.message}); start it and try again`,
    { cause: error },
  );
}
