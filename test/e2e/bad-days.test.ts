/** kill -9, cut cables, power loss: containers keep running, services come back to their replicas, nothing is doubled. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const REPLICAS = 6;

describe('bad days', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
  });

  beforeEach(async () => {
    await cluster.whole();
    await cluster.create('web', '--replicas', String(REPLICAS), 'plimsoll/sleep:1');
    await cluster.settled('web', REPLICAS);
  });

  afterEach(() => cluster.clear());
  afterAll(async () => {
    cluster = await sharedCluster();
  });

  const lab = (...words: string[]) => cluster.lab.command(...words);

  it.each(['agent:h2', 'agent:h3', 'coordinator:h1', 'engine:h2', 'engine:h3'])(
    'kill -9 of %s leaves every container running',
    async (part) => {
      const before = await cluster.runs('web');
      await lab('kill', part);
      await lab('start', part);
      await cluster.whole();
      await cluster.settled('web', REPLICAS);
      expect(await cluster.runs('web')).toEqual(before);
    },
  );

  it('kill -9 of NATS leaves every container running', async () => {
    const before = await cluster.runs('web');
    await lab('kill', 'nats:h1');
    await lab('start', 'nats:h1');
    await cluster.whole();
    await cluster.settled('web', REPLICAS);
    expect(await cluster.runs('web')).toEqual(before);
    await cluster.docker('service', 'scale', '--detach', `web=${REPLICAS + 1}`);
    await cluster.settled('web', REPLICAS + 1);
  });

  it('kill -9 of everything leaves every container running', async () => {
    const before = await cluster.runs('web');
    const agents = cluster.lab.hosts.map((host) => `agent:${host.name}`);
    const engines = cluster.lab.hosts.map((host) => `engine:${host.name}`);
    for (const part of ['coordinator:h1', 'nats:h1', ...agents, ...engines]) await lab('kill', part);
    for (const part of [...engines, 'coordinator:h1', ...agents]) await lab('start', part);
    await cluster.whole();
    await cluster.settled('web', REPLICAS);
    expect(await cluster.runs('web')).toEqual(before);
  });

  it.each(['nats:h1', 'coordinator:h1', 'engine:h3'])(
    'a frozen %s that thaws leaves every container running',
    async (part) => {
      const before = await cluster.runs('web');
      await lab('freeze', part);
      const isNoticed = async () => {
        const isReady = await cluster.coordinatorIsReady();
        return part.startsWith('engine') ? (await cluster.nodeStatus('h3')) === 'down' : !isReady;
      };
      await eventually(isNoticed, { timeoutMs: 30_000, what: `the cluster to notice that ${part} is frozen` });
      await lab('thaw', part);
      await cluster.whole();
      await cluster.settled('web', REPLICAS);
      expect(await cluster.runs('web')).toEqual(before);
    },
  );

  it('a coordinator killed during an update completes it when it is back', async () => {
    await cluster.create(
      'app',
      '--replicas',
      '3',
      '--update-delay',
      '1s',
      '--update-monitor',
      '1s',
      'plimsoll/hello:1',
    );
    await cluster.settled('app', 3);
    await cluster.docker('service', 'update', '--detach', '--no-resolve-image', '--image', 'plimsoll/hello:2', 'app');
    const begun = async () => (await cluster.tasks('app')).some((task) => task.image === 'plimsoll/hello:2');
    await eventually(begun, { what: 'the update to begin' });
    await lab('kill', 'coordinator:h1');
    await lab('start', 'coordinator:h1');
    const state = () => cluster.docker('service', 'inspect', 'app', '--format', '{{.UpdateStatus.State}}');
    await eventually(async () => (await state()) === 'completed', {
      timeoutMs: 60_000,
      what: 'the update to complete',
    });
    const tasks = await cluster.settled('app', 3);
    expect(tasks.map((task) => task.image)).toEqual(Array(3).fill('plimsoll/hello:2'));
  });

  it('a host cut off is stood in for; healed soon, it goes on with its own containers', async () => {
    const before = await cluster.runs('web');
    const onHost3 = await cluster.runs('web', ['h3']);
    expect(Object.keys(onHost3)).toHaveLength(2);
    await lab('cut', 'h3');
    const elsewhere = async () => {
      const running = (await cluster.running('web')).filter((task) => task.node !== 'h3');
      return running.length === REPLICAS;
    };
    await eventually(elsewhere, { timeoutMs: 30_000, what: 'all replicas to run on the other hosts' });
    expect(await cluster.nodeStatus('h3')).toBe('down');
    expect(await cluster.runs('web', ['h3'])).toEqual(onHost3);

    await lab('heal', 'h3');
    await cluster.whole();
    await cluster.settled('web', REPLICAS);
    expect(await cluster.runs('web')).toEqual(before);
  });

  it('a host that loses its power is stood in for, and takes part again when it is back', async () => {
    await lab('crash', 'h3');
    const elsewhere = async () =>
      (await cluster.running('web')).filter((task) => task.node !== 'h3').length === REPLICAS;
    await eventually(elsewhere, { timeoutMs: 30_000, what: 'all replicas to run on the other hosts' });
    await lab('revive', 'h3');
    await cluster.whole();
    await cluster.settled('web', REPLICAS);
    await cluster.create('all', '--mode', 'global', 'plimsoll/sleep:1');
    await cluster.settled('all', 3);
  });

  it('a crashed container runs again, a fresh one', async () => {
    const [first] = await cluster.running('web');
    const victim = (await cluster.serviceContainers('web')).find(({ name }) => name.endsWith(first?.id ?? '?'));
    await cluster.engine(victim?.host ?? '', 'kill', victim?.id ?? '');
    const tasks = await eventually(async () => {
      const running = await cluster.settled('web', REPLICAS);
      return running.every((task) => task.id !== first?.id) ? running : undefined;
    });
    expect(tasks.filter((task) => task.name === first?.name && task.node === first?.node)).toHaveLength(1);
    expect(await cluster.taskError('web', /non-zero exit \(137\)/)).toContain('137');
  });
});
