/** A user's day with the docker CLI: services on real engines, from create to rm. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Cluster, linesOf, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { SteadyClient } from '../support/steady-client.ts';

const Hello = z.object({ service: z.string(), node: z.string(), version: z.string(), client: z.string() });

describe('services', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
  });

  afterEach(() => cluster.clear());
  afterAll(() => cluster.clear());

  const hello = async (from: string, address: string) =>
    Hello.parse(JSON.parse(await cluster.on(from, 'curl', '-fsS', '-m', '2', `http://${address}/`)));

  /** Tasks that move start elsewhere before they stop: for a while as many as wanted run where they were. */
  const moved = (service: string, replicas: number, isThere: (nodes: readonly string[]) => boolean) =>
    eventually(async () => isThere((await cluster.settled(service, replicas)).map((task) => task.node)), {
      timeoutMs: 60_000,
      what: `the tasks of ${service} to be elsewhere`,
    });

  it('are created, shown, scaled and removed', async () => {
    const created = await cluster.try('service', 'create', '--name', 'web', '--replicas', '3', 'plimsoll/sleep:1');
    expect(created).toMatchObject({ code: 0, stdout: expect.stringContaining('converged') });
    const tasks = await cluster.settled('web', 3);
    expect(tasks.map((task) => task.node).toSorted()).toEqual(['h1', 'h2', 'h3']);
    expect(linesOf(await cluster.docker('ps', '--format', '{{.Names}}')).toSorted()).toEqual(
      tasks.map((task) => `${task.name}.${task.id}`).toSorted(),
    );
    expect(await cluster.docker('node', 'ps', 'h2', '--format', '{{.Name}} {{.Image}}')).toMatch(
      /^web\.\d plimsoll\/sleep:1$/,
    );

    await cluster.docker('service', 'scale', '--detach', 'web=6');
    await cluster.settled('web', 6);
    await cluster.docker('service', 'scale', '--detach', 'web=1');
    await cluster.settled('web', 1);
    await cluster.docker('service', 'rm', 'web');
    await eventually(async () => (await cluster.containers()).length === 0, { timeoutMs: 30_000 });
    expect((await cluster.try('service', 'ps', 'web')).stderr).toContain('no such service: web');
  });

  it.each(['start-first', 'stop-first'])('are updated %s and rolled back', async (order) => {
    const flags = ['--update-order', order, '--update-monitor', '1s', '--rollback-monitor', '1s'];
    await cluster.create('web', '--replicas', '3', '--update-parallelism', '3', ...flags, 'plimsoll/hello:1');
    await cluster.settled('web', 3);

    expect((await cluster.try('service', 'update', '--image', 'plimsoll/hello:2', 'web')).code).toBe(0);
    const updated = await cluster.settled('web', 3);
    expect(updated.map((task) => task.image)).toEqual(Array(3).fill('plimsoll/hello:2'));
    expect(updated.map((task) => task.node).toSorted()).toEqual(['h1', 'h2', 'h3']);
    const all = await cluster.tasks('web');
    expect(all.filter((task) => task.image === 'plimsoll/hello:1').map((task) => task.desiredState)).toEqual(
      Array(3).fill('Shutdown'),
    );

    expect((await cluster.try('service', 'rollback', 'web')).code).toBe(0);
    const rolledBack = await cluster.settled('web', 3);
    expect(rolledBack.map((task) => task.image)).toEqual(Array(3).fill('plimsoll/hello:1'));
  });

  it('lose no request while they are updated start-first', async () => {
    const flags = ['--update-order', 'start-first', '--update-monitor', '1s', '--publish', '8085:80'];
    await cluster.create('web', '--replicas', '3', ...flags, 'plimsoll/hello:1');
    await cluster.settled('web', 3);
    const client = new SteadyClient(cluster.lab.hosts.map((host) => `http://${host.address}:8085/`));
    await eventually(() => client.isServed(), { timeoutMs: 15_000, what: 'every host to serve the port' });
    client.start();
    await cluster.docker('service', 'update', '--quiet', '--image', 'plimsoll/hello:2', 'web');
    await cluster.settled('web', 3);
    const seen = await client.stop();

    expect(seen.failures).toEqual([]);
    expect([...seen.versions].toSorted()).toEqual(['1', '2']);
  });

  it('serve an ingress port on every node, wherever the task runs, and show it the client’s address', async () => {
    await cluster.create('web', '--constraint', 'node.hostname==h2', '--publish', '8080:80', 'plimsoll/hello:1');
    await cluster.settled('web', 1);
    const seen = async (address: string) => {
      const answer = await fetch(`http://${address}:8080`, { headers: { connection: 'close' } });
      return Hello.parse(await answer.json());
    };
    const clients = new Set<string>();
    for (const { name, address } of cluster.lab.hosts) {
      const answer = await eventually(() => seen(address), { timeoutMs: 15_000 });
      expect(answer).toMatchObject({ service: 'web', node: 'h2' });
      clients.add(answer.client);
      expect(await hello(name, 'localhost:8080')).toMatchObject({ node: 'h2' });
    }
    // This machine's own, the same through every node, and no node's.
    expect([...clients]).toHaveLength(1);
    expect(cluster.lab.hosts.map(({ address }) => address)).not.toContain([...clients][0]);
  });

  it('bind a host-mode port once per host', async () => {
    const publish = 'mode=host,published=8081,target=80';
    await cluster.create('web', '--replicas', '3', '--publish', publish, 'plimsoll/hello:1');
    const tasks = await cluster.settled('web', 3);
    expect(tasks.map((task) => task.node).toSorted()).toEqual(['h1', 'h2', 'h3']);
    expect(await hello('h1', `${cluster.host('h3').address}:8081`)).toMatchObject({ node: 'h3' });
  });

  it('keep to constraints, and follow node labels', async () => {
    await cluster.docker('node', 'update', '--label-add', 'disk=fast', 'h2');
    await cluster.create('web', '--replicas', '2', '--constraint', 'node.labels.disk==fast', 'plimsoll/sleep:1');
    await cluster.create('one', '--constraint', 'node.hostname==h3', 'plimsoll/sleep:1');
    expect((await cluster.settled('web', 2)).map((task) => task.node)).toEqual(['h2', 'h2']);
    expect((await cluster.settled('one', 1)).map((task) => task.node)).toEqual(['h3']);

    await cluster.docker('node', 'update', '--label-add', 'disk=fast', 'h1');
    await cluster.docker('node', 'update', '--label-rm', 'disk', 'h2');
    await moved('web', 2, (nodes) => nodes.every((node) => node === 'h1'));
    await cluster.docker('node', 'update', '--label-rm', 'disk', 'h1');
  });

  it('leave a drained node, and a global one returns to it', async () => {
    await cluster.create('all', '--mode', 'global', 'plimsoll/sleep:1');
    await cluster.create('web', '--replicas', '3', 'plimsoll/sleep:1');
    await cluster.settled('all', 3);
    await cluster.settled('web', 3);

    await cluster.docker('node', 'update', '--availability', 'drain', 'h2');
    const nodesOf = async (service: string, replicas: number) =>
      (await cluster.settled(service, replicas)).map((task) => task.node);
    expect(await nodesOf('all', 2)).not.toContain('h2');
    await moved('web', 3, (nodes) => !nodes.includes('h2'));

    await cluster.docker('node', 'update', '--availability', 'active', 'h2');
    expect(await nodesOf('all', 3)).toContain('h2');
    expect(await nodesOf('web', 3)).not.toContain('h2');
  });

  it('show their logs from every host, and go on showing them', async () => {
    await cluster.create('web', '--mode', 'global', 'plimsoll/hello:1');
    await cluster.settled('web', 3);
    const listens = /^web\.\w+\.\w+@h[123] +\| hello 1 listens on port 80$/;
    const logs = await eventually(
      async () => {
        const lines = linesOf(await cluster.docker('service', 'logs', '--tail', '1', 'web'));
        return lines.length === 3 ? lines : undefined;
      },
      { what: 'one line of each task' },
    );
    expect(logs.filter((line) => listens.test(line))).toHaveLength(3);

    const following = cluster.follow('service', 'logs', '--follow', '--tail', '0', 'web');
    try {
      await cluster.docker('service', 'update', '--detach', '--force', 'web');
      const shown = () => following.lines.filter((line) => line.includes('Draining after SIGTERM')).length > 0;
      await eventually(shown, { timeoutMs: 30_000, what: 'the log of a task that drains' });
    } finally {
      following.stop();
    }
  });

  it('tell what happens to them as events', async () => {
    // From a moment ago on: the service may be made before the client is connected.
    const events = cluster.follow(
      'events',
      '--since',
      '10s',
      '--format',
      '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}',
    );
    try {
      await cluster.create('told', 'plimsoll/sleep:1');
      const [task] = await cluster.settled('told', 1);
      await cluster.docker('service', 'rm', 'told');
      const wanted = ['service create told', `container start told.1.${task?.id}`, 'service remove told'];
      const seen = () => wanted.every((line) => events.lines.includes(line));
      await eventually(seen, { timeoutMs: 30_000, what: `the events ${wanted.join(', ')}` }).catch((error: unknown) => {
        throw new Error(`Seen: ${events.lines.join('; ')}`, { cause: error });
      });
    } finally {
      events.stop();
    }
  });
});
