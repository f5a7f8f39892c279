/** State that is gone, damaged, copied or another cluster's: nobody's container stops, and what is wrong is said. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bucketDefinitions } from '../../bus/bucket-definitions.ts';
import { busMetrics } from '../../bus/bus-metrics.ts';
import { readCoordinatorIdentity, readNodeIdentity, writeNodeIdentity } from '../../bus/identity/user-identity.ts';
import { streamOf } from '../../bus/kv-layout.ts';
import { type NatsLink, openLink } from '../../bus/nats-connection.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { TestNats } from '../support/nats-server.ts';
import { builtPlim } from '../support/plim.ts';

describe('state that is gone, damaged or not ours', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
  });

  afterEach(() => cluster.clear());
  afterAll(() => cluster.clear());

  const hostDirectory = (host: string) => `/var/lib/plimsoll-${cluster.lab.name}/${host}`;
  const stateDir = (host: string) => join(hostDirectory(host), 'state');
  const agentLog = (host: string) => readFileSync(join(hostDirectory(host), 'log', 'agent.log'), 'utf8');

  /** Waits until a host's agent has written a line like this after what its log held `before`. */
  const says = (host: string, before: string, words: RegExp) =>
    eventually(() => words.test(agentLog(host).slice(before.length)), {
      timeoutMs: 60_000,
      what: `the agent on ${host} to say ${words}`,
    });

  /** Three replicas, one on each host, and what must not change about them. */
  async function threeReplicas() {
    await cluster.create('web', '--replicas', '3', 'plimsoll/sleep:1');
    await cluster.settled('web', 3);
    return cluster.runs('web');
  }

  async function natsOfCluster(): Promise<NatsLink> {
    const { coordinatorId, jwt, seed, caPem } = readCoordinatorIdentity(stateDir('h1'));
    return openLink({
      urls: [`tls://${cluster.host('h1').address}:4222`],
      user: { name: coordinatorId, jwt: () => jwt, seed },
      caPem,
      purpose: 'test',
      waitForServer: false,
      clock: systemClock,
      log: createLog('test', 'silent'),
      metrics: busMetrics(createMetrics('test', '')),
    });
  }

  /** Those who know notice within their watches' own checks, some seconds later. */
  const filled = (nats: NatsLink, bucket: keyof typeof bucketDefinitions) =>
    eventually(
      async () => (await nats.manager.streams.info(streamOf(bucketDefinitions[bucket].name))).state.messages > 0,
      { timeoutMs: 60_000, what: `${bucket} to be filled again` },
    );

  it('a wiped bucket stops nothing, and is filled again by those who know', async () => {
    const before = await threeReplicas();
    const nats = await natsOfCluster();
    try {
      for (const bucket of ['task', 'slot', 'status', 'node', 'name', 'rollout', 'lease'] as const) {
        await nats.manager.streams.purge(streamOf(bucketDefinitions[bucket].name));
        await cluster.settled('web', 3);
        await cluster.whole();
        expect(await cluster.runs('web'), `after ${bucket} was wiped`).toEqual(before);
      }
      for (const bucket of ['task', 'slot', 'status', 'node', 'lease'] as const) await filled(nats, bucket);
    } finally {
      await nats.close();
    }
    await cluster.whole();
    await cluster.docker('service', 'scale', '--detach', 'web=4');
    await cluster.settled('web', 4);
    expect(await cluster.runs('web')).toMatchObject(before);
  });

  it("an agent sent to another cluster's NATS refuses it, says why, and keeps its containers", async () => {
    const before = await threeReplicas();
    const identity = readNodeIdentity(stateDir('h3'));
    const other = await TestNats.start('0.0.0.0');
    const logBefore = agentLog('h3');
    const machineAddress = cluster.host('h3').address.replace(/\.\d+$/, '.254');
    try {
      writeNodeIdentity(stateDir('h3'), {
        ...identity,
        natsUrls: [`tls://${machineAddress}:${other.cluster.nats.port}`],
      });
      await cluster.lab.command('restart', 'agent:h3');
      await says('h3', logBefore, /Cannot connect to NATS at tls:.*(certificate|issuer)/);
      expect(await cluster.runs('web', ['h3'])).toEqual(await runsThen(before, 'h3'));
    } finally {
      writeNodeIdentity(stateDir('h3'), identity);
      await cluster.lab.command('restart', 'agent:h3');
      await other.stop();
    }
    await cluster.whole();
    await cluster.settled('web', 3);
    expect(await cluster.runs('web')).toEqual(before);
  });

  /** Those of earlier runs that are of containers on this host. */
  async function runsThen(before: Awaited<ReturnType<Cluster['runs']>>, host: string) {
    const names = new Set((await cluster.hostContainers(host)).map(({ name }) => name));
    return Object.fromEntries(Object.entries(before).filter(([name]) => names.has(name)));
  }

  it("a copy of a living agent's state is refused, and the first lives on", async () => {
    const copy = mkdtempSync(join(tmpdir(), 'plimsoll-clone-'));
    // Not the files it is about to rename: they may be gone before they are copied.
    const filter = (path: string) => !path.endsWith('.new');
    cpSync(join(stateDir('h3'), 'node'), join(copy, 'node'), { recursive: true, filter });
    const before = await threeReplicas();
    const engine = `unix://${cluster.host('h2').engineSocket}`;
    const flags = ['--state-dir', copy, '--docker', engine, '--port', '7799', '--no-manage-live-restore'];
    try {
      const second = cluster.on('h2', process.execPath, builtPlim(), 'agent', ...flags);

      await expect(second).rejects.toThrow(/h3 \(.*\) runs under the same identity/);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
    await cluster.whole();
    await cluster.settled('web', 3);
    expect(await cluster.runs('web')).toEqual(before);
  });

  it.each([
    ['incarnation.json', /cannot read the number of this start/],
    ['assignments.json', /cannot read the stored assignments/],
  ])('a damaged %s is reported, and the agent works on', async (file, words) => {
    const before = await threeReplicas();
    const logBefore = agentLog('h3');
    await cluster.lab.command('kill', 'agent:h3');
    writeFileSync(join(stateDir('h3'), 'node', file), '{"damaged');
    await cluster.lab.command('start', 'agent:h3');

    await says('h3', logBefore, words);
    await says('h3', logBefore, /this node takes part in the cluster/);
    await cluster.whole();
    await cluster.settled('web', 3);
    expect(await cluster.runs('web')).toEqual(before);
  });
});
