/** The server process, watches and the lease across its deaths, joining and being shown the door. */
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { joinTokenOf } from '../../../bus/identity/cluster.ts';
import { admit, joinCluster, serveJoins } from '../../../bus/identity/join.ts';
import { publicKeyOf } from '../../../bus/identity/keys.ts';
import { runLease } from '../../../bus/lease.ts';
import { revokeUser, rotateJoinToken, runningNatsPid } from '../../../bus/server/nats-server.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { TestNats } from '../../support/nats-server.ts';
import { aClaim, aSubnet, subnetKey } from '../../support/records.ts';

let nats: TestNats;
const log = createLog('test', 'silent');

afterEach(() => nats.stop());

async function killServer(): Promise<void> {
  const pid = runningNatsPid(nats.stateDir);
  nats.signal('SIGKILL');
  await eventually(() => !existsSync(`/proc/${pid}`) || runningNatsPid(nats.stateDir) === undefined);
}

describe('the server process', () => {
  test('is adopted while it runs and started anew after kill -9, with every acknowledged write', async () => {
    nats = await TestNats.start();
    const pid = runningNatsPid(nats.stateDir);
    expect(await nats.startServer()).toBe(pid);
    const { buckets } = await nats.coordinator();
    for (let index = 0; index < 50; index += 1) await buckets.claims.create(`service.s${index}`, aClaim(`s${index}`));

    await killServer();
    expect(await nats.startServer()).not.toBe(pid);

    const { buckets: afterwards } = await nats.coordinator();
    expect((await afterwards.claims.watch()).entries.size).toBe(50);
  });

  test('is started anew when it ends while it is waited for', async () => {
    nats = await TestNats.start();
    const pid = runningNatsPid(nats.stateDir);
    nats.signal('SIGSTOP');
    const ensured = nats.startServer();
    nats.signal('SIGKILL');

    expect(await ensured).not.toBe(pid);
  });

  test('that belongs to another cluster is not adopted', async () => {
    nats = await TestNats.start();
    const impostor = await TestNats.start('127.0.0.1', nats.cluster.nats.port).catch((error: unknown) => error);

    expect(impostor).toMatchObject({ code: 'unavailable', message: expect.stringContaining('another server') });
  });
});

describe('watches', () => {
  test('go on after the server was killed and restarted, memory buckets included', async () => {
    nats = await TestNats.start();
    const { buckets } = await nats.coordinator();
    const claims = await buckets.claims.watch();
    const leases = await buckets.leases.watch();
    await claims.reached(await buckets.claims.create('service.before', aClaim('before')));
    const lease = { v: 1, epoch: 1, holderId: 'a', holderNodeId: 'n', renewal: 0 } as const;
    await leases.reached(await buckets.leases.create('leader', lease));

    await killServer();
    await eventually(() => !claims.current);
    await nats.startServer();
    await eventually(() => claims.current && leases.current, { timeoutMs: 20_000 });

    expect(leases.entries.size).toBe(0);
    const { buckets: other } = await nats.coordinator();
    await other.claims.create('service.after', aClaim('after'));
    await eventually(() => claims.entries.size === 2);
    await other.leases.create('leader', lease);
    await eventually(() => leases.entries.size === 1);
  });

  test('catch up after the server was frozen', async () => {
    nats = await TestNats.start();
    const { buckets } = await nats.coordinator();
    const view = await buckets.claims.watch();

    nats.signal('SIGSTOP');
    await eventually(() => !view.current);
    nats.signal('SIGCONT');
    const { buckets: other } = await nats.coordinator();
    await other.claims.create('service.thawed', aClaim('thawed'));

    await eventually(() => view.current && view.entries.size === 1);
    expect([...view.entries.keys()]).toEqual(['service.thawed']);
  });

  test('of many records deliver each once changed', async () => {
    nats = await TestNats.start();
    const { buckets } = await nats.coordinator();
    const { buckets: reader } = await nats.coordinator();
    const names = Array.from({ length: 500 }, (_, index) => `service.s${index}`);
    await Promise.all(names.map((name) => buckets.claims.create(name, aClaim(name))));

    const view = await reader.claims.watch();
    expect(view.entries.size).toBe(500);
    const revisions = await Promise.all(names.map((name) => buckets.claims.put(name, aClaim(`${name}-2`))));
    await view.reached(Math.max(...revisions));

    expect([...view.entries.values()].every((entry) => entry.value.ownerName.endsWith('-2'))).toBe(true);
  });
});

describe('the lease on a real server', () => {
  test('passes on when its holder’s connection dies, and outlives a restart of the server', async () => {
    nats = await TestNats.start();
    const epochs: number[] = [];
    const ending = new AbortController();
    const lead = async (name: string) => {
      const { bus, buckets } = await nats.coordinator();
      const holder = { coordinatorId: name, nodeId: name };
      const callbacks = { onLead: (epoch: number) => epochs.push(epoch), onLose: () => {} };
      return { bus, done: runLease({ bus, buckets, clock: systemClock, log, holder }, callbacks, ending.signal) };
    };
    const first = await lead('a');
    await eventually(() => epochs.length === 1);
    const second = await lead('b');

    await first.bus.close();
    await eventually(() => epochs.length === 2);
    await killServer();
    await nats.startServer();
    await eventually(() => epochs.length === 3, { timeoutMs: 20_000 });

    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    ending.abort();
    await Promise.all([first.done, second.done]);
  });
});

describe('joining over TLS', () => {
  const clock = systemClock;
  const registry = createMetrics('test', '0');

  test('a host with the token becomes a node that can work, and a revoked one is cut off', async () => {
    nats = await TestNats.start('0.0.0.0');
    const { bus, buckets } = await nats.coordinator();
    serveJoins({ bus, buckets, cluster: nats.cluster, clock, log });
    const address = `127.0.0.1:${nats.cluster.nats.port}`;
    const token = joinTokenOf(nats.cluster);

    const identity = await joinCluster({ token, address, hostname: 'h2', clock, log, registry });

    expect(await buckets.nodeSpecs.get(identity.nodeId)).toMatchObject({
      value: { publicKey: publicKeyOf(identity.seed), role: 'worker', availability: 'active' },
    });
    const node = await nats.connect(identity);
    const tasks = await node.buckets.tasks.watch(`${identity.nodeId}.>`);
    expect(tasks.current).toBe(true);
    await revokeUser(nats.stateDir, publicKeyOf(identity.seed), Date.now());
    await eventually(() => !node.bus.connected);
    await expect(nats.connect(identity)).rejects.toMatchObject({ code: 'unavailable' });
    await node.bus.close();
  });

  test('a token of another cluster, a broken one and a dead address are told apart', async () => {
    nats = await TestNats.start('0.0.0.0');
    const stranger = await TestNats.start('0.0.0.0');
    const address = `127.0.0.1:${nats.cluster.nats.port}`;
    const join = (token: string, to = address) =>
      joinCluster({ token, address: to, hostname: 'h2', clock, log, registry });

    await expect(join(joinTokenOf(stranger.cluster))).rejects.toMatchObject({ code: 'refused' });
    await expect(join('SWMTKN-1-abc')).rejects.toMatchObject({ code: 'invalid' });
    await expect(join(joinTokenOf(nats.cluster), '127.0.0.1:1')).rejects.toMatchObject({ code: 'unavailable' });
    await stranger.stop();
  });

  test('a rotated token is worth nothing, the new one is good, and who joined stays', async () => {
    nats = await TestNats.start('0.0.0.0');
    const { bus, buckets } = await nats.coordinator();
    serveJoins({ bus, buckets, cluster: nats.cluster, clock, log });
    const address = `127.0.0.1:${nats.cluster.nats.port}`;
    const join = (token: string) => joinCluster({ token, address, hostname: 'h2', clock, log, registry });
    const old = joinTokenOf(nats.cluster);
    const node = await nats.connect(await join(old));

    const rotated = await rotateJoinToken(nats.stateDir);
    await eventually(async () => (await join(old).catch((error: unknown) => error)) instanceof Error);

    expect((await join(joinTokenOf(rotated))).clusterId).toBe(nats.cluster.clusterId);
    expect(node.bus.connected).toBe(true);
  });

  test('a host cannot take the id of another', async () => {
    nats = await TestNats.start();
    const { bus, buckets } = await nats.coordinator();
    const parts = { bus, buckets, cluster: nats.cluster, clock, log };
    const first = await admit(parts, { publicKey: 'UAAA', hostname: 'h1' });
    const nodeId = first.accepted ? first.nodeId : '';

    expect(await admit(parts, { publicKey: 'UBBB', hostname: 'h2', nodeId })).toMatchObject({ accepted: false });
  });

  test('a host whose name would break out of a header is not let in', async () => {
    nats = await TestNats.start();
    const { bus, buckets } = await nats.coordinator();
    const request = { publicKey: 'UAAA', hostname: 'h1\nX-Evil: 1' };

    const answer = await admit({ bus, buckets, cluster: nats.cluster, clock, log }, request);

    expect(answer).toMatchObject({
      accepted: false,
      error: expect.stringContaining('Cannot join: the hostname "h1\\n'),
    });
    expect((await buckets.nodeSpecs.watch()).entries.size).toBe(0);
  });
});

describe('many writes at once', () => {
  test('go one by one where one of them is larger than the server takes, and that one alone fails', async () => {
    nats = await TestNats.start();
    const { buckets } = await nats.coordinator();
    const leader = buckets.fenced(await buckets.raiseFence(1));
    const making = ['a', 'b', 'c'].map((name) => ({
      key: subnetKey(name),
      value: aSubnet(name === 'b' ? 'x'.repeat(9_000_000) : '10.0.0.0/26', 1, name),
      expectedRevision: undefined,
    }));

    const outcomes = await leader.nets.writeAll(making);

    const revision = { revision: expect.any(Number) };
    expect(outcomes).toEqual([revision, { error: expect.any(PlimsollError) }, revision]);
    const view = await buckets.nets.watch();
    expect([...view.entries.keys()].sort()).toEqual([subnetKey('a'), subnetKey('c')].sort());
    await view.close();
  });
});
