/** Hosts come and go; what others run on them is none of Plimsoll's business. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { builtPlim } from '../support/plim.ts';

describe('hosts', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
  });

  afterEach(() => cluster.clear());
  afterAll(() => cluster.clear());

  const stateDir = (host: string) => `/var/lib/plimsoll-${cluster.lab.name}/${host}/state`;
  const plim = (host: string, ...words: string[]) =>
    cluster.on(host, process.execPath, builtPlim(), ...words, '--state-dir', stateDir(host));
  const engineOf = (host: string) => `unix://${cluster.host(host).engineSocket}`;

  async function rejoin(host: string): Promise<void> {
    const token = await cluster.docker('swarm', 'join-token', '--quiet', 'worker');
    const options = ['--no-start', '--docker', engineOf(host)];
    await plim(host, 'join', token, cluster.host('h1').address, ...options);
    await cluster.lab.command('start', `agent:${host}`);
    await cluster.whole();
  }

  it('leave and join again, as a new node', async () => {
    await cluster.create('all', '--mode', 'global', 'plimsoll/sleep:1');
    await cluster.settled('all', 3);
    const before = await cluster.docker('node', 'inspect', 'h3', '--format', '{{.ID}}');
    await cluster.lab.command('kill', 'agent:h3');
    try {
      await plim('h3', 'leave', '--docker', engineOf('h3'));
      expect(await cluster.hostContainers('h3')).toEqual([]);
      const isDown = async () => (await cluster.nodeStatus('h3')) === 'down';
      await eventually(isDown, { timeoutMs: 30_000, what: 'the node to be down' });
      await cluster.docker('node', 'rm', before);
      await cluster.settled('all', 2);
    } finally {
      await rejoin('h3');
    }
    const isNew = async () => (await cluster.docker('node', 'inspect', 'h3', '--format', '{{.ID}}')) !== before;
    await eventually(isNew, { timeoutMs: 30_000, what: 'the host to be a new node' });
    await cluster.settled('all', 3);
  });

  it('keep containers that are not ours, whatever Plimsoll does', async () => {
    const foreign = await cluster.engine('h2', 'run', '--detach', '--name', 'foreign', 'plimsoll/sleep:1');
    const state = () => cluster.engine('h2', 'inspect', '--format', '{{.State.Status}} {{.State.StartedAt}}', foreign);
    const before = await state();
    try {
      await cluster.create('all', '--mode', 'global', 'plimsoll/sleep:1');
      await cluster.settled('all', 3);
      await cluster.lab.command('kill', 'agent:h2');
      await cluster.lab.command('start', 'agent:h2');
      await cluster.whole();
      await cluster.docker('node', 'update', '--availability', 'drain', 'h2');
      await cluster.settled('all', 2);
      await cluster.docker('service', 'rm', 'all');
      await cluster.clear();
      expect(await state()).toBe(before);

      await cluster.lab.command('kill', 'agent:h2');
      await plim('h2', 'leave', '--docker', engineOf('h2'));
      expect(await state()).toBe(before);
      const node = await cluster.docker('node', 'inspect', 'h2', '--format', '{{.ID}}');
      await eventually(async () => (await cluster.nodeStatus('h2')) === 'down', { timeoutMs: 30_000 });
      await cluster.docker('node', 'rm', node);
      await rejoin('h2');
      expect(await state()).toBe(before);
    } finally {
      await cluster.engine('h2', 'rm', '--force', foreign);
    }
  });
});
