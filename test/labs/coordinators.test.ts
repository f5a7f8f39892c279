/** More than one coordinator: any answers, one leads, and the other takes over when that one is killed or frozen. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, linesOf } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type Lab, labUp } from '../support/lab.ts';

const place = { name: 'coord', subnet: '10.99.50' } as const;

describe('two coordinators', () => {
  let lab: Lab;
  let first: Cluster;
  /** The same cluster through the coordinator on h2, which has no NATS server beside it. */
  let second: Cluster;

  beforeAll(async () => {
    lab = await labUp({ engine: 'plimsoll', hosts: 3, modern: 0, coordinators: 2, place });
    first = new Cluster(lab);
    second = new Cluster({ ...lab, clusterSocket: lab.clusterSocket.replace('/h1/', '/h2/') });
    await second.whole();
  });

  afterEach(async () => {
    await lab.command('start', 'coordinator:h1');
    await shows(second, ['h1 Reachable', 'h1 Leader']);
    await second.clear();
  });

  afterAll(() => lab?.down());

  const managers = async (cluster: Cluster) =>
    linesOf(await cluster.docker('node', 'ls', '--format', '{{.Hostname}} {{.ManagerStatus}}'));

  /** Waits until `docker node ls` shows one of these lines. */
  const shows = (cluster: Cluster, lines: readonly string[], timeoutMs = 15_000) =>
    eventually(async () => (await managers(cluster)).some((line) => lines.includes(line)), {
      timeoutMs,
      what: `docker node ls to show ${lines.join(' or ')}`,
    });

  /** Whoever leads from an earlier test on: h1 does again. */
  async function letFirstLead(): Promise<void> {
    if ((await managers(second)).includes('h1 Leader')) return;
    await lab.command('kill', 'coordinator:h2');
    await shows(first, ['h1 Leader']);
    await lab.command('start', 'coordinator:h2');
    await shows(first, ['h2 Reachable']);
  }

  it('agree on who leads, and each takes orders', async () => {
    await letFirstLead();

    expect(await managers(first)).toEqual(['h1 Leader', 'h2 Reachable', 'h3']);
    expect(await managers(second)).toEqual(['h1 Leader', 'h2 Reachable', 'h3']);
    await second.create('web', '--replicas', '3', 'plimsoll/sleep:1');
    await first.settled('web', 3);
    await first.docker('service', 'scale', '--detach', 'web=4');
    await second.settled('web', 4);
  });

  it('print the same join line, which leads to the NATS server', async () => {
    const line = await second.docker('swarm', 'join-token', 'worker');

    expect(line).toContain(`${first.host('h1').address}:4222`);
    expect(line).toBe(await first.docker('swarm', 'join-token', 'worker'));
  });

  it('go on when the leader is killed: the other leads at once, and it is told who is away', async () => {
    await letFirstLead();
    await second.create('web', '--replicas', '3', 'plimsoll/sleep:1');
    await second.settled('web', 3);
    const before = await second.runs('web');

    await lab.command('kill', 'coordinator:h1');
    await shows(second, ['h2 Leader'], 3_000);
    await second.create('api', '--replicas', '2', 'plimsoll/sleep:1');
    await second.settled('api', 2);

    await shows(second, ['h1 Unreachable']);
    expect(await second.try('node', 'rm', '--force', 'h3')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('only the coordinator on 10.99.50.1, beside the NATS server, can'),
    });
    expect(await managers(second)).toContain('h3');
    await lab.command('start', 'coordinator:h1');
    await shows(first, ['h1 Reachable']);
    await first.settled('api', 2);
    expect(await first.runs('web')).toEqual(before);
  });

  it('survive a frozen leader: the other takes over, the thawed one steps back, nothing is doubled', async () => {
    await letFirstLead();
    await second.create('web', '--replicas', '3', 'plimsoll/sleep:1');
    await second.settled('web', 3);
    const before = await second.runs('web');

    await lab.command('freeze', 'coordinator:h1');
    try {
      await shows(second, ['h2 Leader']);
      await second.docker('service', 'scale', '--detach', 'web=5');
      await second.settled('web', 5);
    } finally {
      await lab.command('thaw', 'coordinator:h1');
    }

    await shows(first, ['h1 Reachable']);
    expect(await managers(first)).toEqual(['h1 Reachable', 'h2 Leader', 'h3']);
    await first.settled('web', 5);
    expect(await first.runs('web')).toMatchObject(before);
    expect(linesOf(await first.docker('service', 'ps', '--quiet', 'web'))).toHaveLength(5);
  });
});
