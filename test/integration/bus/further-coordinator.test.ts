/** A further coordinator, with a copy of the cluster's keys, on the real NATS server of the first one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { ConnectedBus } from '../../../bus/connect-bus.ts';
import { adoptCluster, clusterFile, joinTokenOf, openCluster } from '../../../bus/identity/cluster.ts';
import { joinCluster, registerNode } from '../../../bus/identity/join.ts';
import { publicKeyOf } from '../../../bus/identity/keys.ts';
import { readCoordinatorIdentity } from '../../../bus/identity/user-identity.ts';
import { natsServerCommand, revokeUser, rotateJoinToken } from '../../../bus/server/nats-server.ts';
import { subjects } from '../../../bus/subjects.ts';
import { type Admission, createAdmission } from '../../../coordinator/admission.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { TestNats } from '../../support/nats-server.ts';

const log = createLog('test', 'silent');

let nats: TestNats;
/** State directory of the further coordinator's host. */
let furtherDir: string;

beforeEach(async () => {
  nats = await TestNats.start('0.0.0.0');
  furtherDir = mkdtempSync(join(tmpdir(), 'plimsoll-further-'));
  await adoptCluster(furtherDir, clusterFile(nats.stateDir));
});

afterEach(async () => {
  await nats.stop();
  rmSync(furtherDir, { recursive: true });
});

interface Coordinator extends ConnectedBus {
  readonly admission: Admission;
}

async function coordinatorOf(stateDir: string): Promise<Coordinator> {
  const connected = await nats.connect(readCoordinatorIdentity(stateDir));
  const admission = createAdmission({ ...connected, stateDir, clock, log });
  return { ...connected, admission };
}

/** Lets the coordinator answer the others; the server has heard so when this resolves. */
async function serve({ admission, bus }: Coordinator): Promise<void> {
  admission.serve();
  await bus.request(subjects.clusterKeys('token'), null, z.unknown(), 5_000);
}

function joinWith(token: string) {
  const address = `127.0.0.1:${nats.cluster.nats.port}`;
  return joinCluster({ token, address, hostname: 'h3', clock, log, registry: createMetrics('test', '0') });
}

test('both may start at once on a server that has nothing yet', async () => {
  const both = await Promise.all([coordinatorOf(nats.stateDir), coordinatorOf(furtherDir)]);

  for (const { buckets, bus } of both) {
    expect(buckets.serverFences).toBe(true);
    expect(bus.connected).toBe(true);
  }
});

test('a host that joins is let in by one of them, not by both', async () => {
  const [first, further] = [await coordinatorOf(nats.stateDir), await coordinatorOf(furtherDir)];
  await serve(first);
  further.admission.serve();

  for (const _ of Array.from({ length: 5 })) await joinWith(joinTokenOf(nats.cluster));

  const specs = await first.buckets.nodeSpecs.watch();
  expect(specs.entries.size).toBe(5);
});

test('a further one lets hosts in while the first is away, also with a token it has never seen', async () => {
  const token = joinTokenOf(await rotateJoinToken(nats.stateDir));
  const further = await coordinatorOf(furtherDir);
  further.admission.serve();

  const identity = await eventually(() => joinWith(token));

  expect((await nats.connect(identity)).bus.connected).toBe(true);
});

test('credentials taken away through a further one are worthless', async () => {
  const [first, further] = [await coordinatorOf(nats.stateDir), await coordinatorOf(furtherDir)];
  await serve(first);
  const identity = await nats.node();
  const publicKey = publicKeyOf(identity.seed);
  await registerNode({ buckets: first.buckets, clock }, identity.nodeId, publicKey);
  const node = await nats.connect(identity);

  await further.admission.revoke(publicKey);

  await eventually(() => !node.bus.connected);
  expect(openCluster(nats.stateDir).revokedAtSeconds).toHaveProperty(publicKey);
});

test('changes asked for at once are all made', async () => {
  const [first, further] = [await coordinatorOf(nats.stateDir), await coordinatorOf(furtherDir)];
  await serve(first);
  const keys = await Promise.all(Array.from({ length: 6 }, async () => publicKeyOf((await nats.node()).seed)));

  await Promise.all(keys.map((key, index) => (index % 2 === 0 ? first : further).admission.revoke(key)));

  expect(Object.keys(openCluster(nats.stateDir).revokedAtSeconds).sort()).toEqual(keys.sort());
});

test('a further one tells and renews the join token the server knows, not its own copy', async () => {
  const [first, further] = [await coordinatorOf(nats.stateDir), await coordinatorOf(furtherDir)];
  await serve(first);

  const renewed = await further.admission.rotateJoinToken();

  expect(renewed).toBe(joinTokenOf(openCluster(nats.stateDir)));
  expect(await further.admission.joinToken()).toBe(renewed);
  expect(joinTokenOf(openCluster(furtherDir))).not.toBe(renewed);
});

test('with the first one away it says so and changes nothing', async () => {
  const further = await coordinatorOf(furtherDir);
  const before = openCluster(furtherDir);
  const away = {
    code: 'unavailable',
    message: expect.stringContaining('only the coordinator on 127.0.0.1, beside the NATS server, can'),
  };

  await expect(further.admission.revoke('UAAA')).rejects.toMatchObject(away);
  await expect(further.admission.joinToken()).rejects.toMatchObject(away);
  await expect(further.admission.rotateJoinToken()).rejects.toMatchObject(away);
  expect(openCluster(furtherDir)).toEqual(before);
});

test('nothing on its host can run a server or change its trust there', async () => {
  const elsewhere = { code: 'precondition', message: expect.stringContaining('NATS server runs on 127.0.0.1') };

  await expect(natsServerCommand(furtherDir, { executable: 'nats-server' })).rejects.toMatchObject(elsewhere);
  await expect(revokeUser(furtherDir, 'UAAA', 0)).rejects.toMatchObject(elsewhere);
  await expect(rotateJoinToken(furtherDir)).rejects.toMatchObject(elsewhere);
});
