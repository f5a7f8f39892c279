/** What goes wrong in ordinary life gets well again once its cause is gone, and is retried with patience until then. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, sharedCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { occupyPort } from '../../support/occupied-port.ts';

describe('after an incident', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
  });

  afterEach(() => cluster.clear());

  const pending = (service: string, reason: string) =>
    cluster.coordinatorMetric('plimsoll_service_tasks_pending', { service, reason });
  const onHost2 = ['--constraint', 'node.hostname==h2'];

  it('a container that exits at once is retried ever more slowly', async () => {
    const failures = () => cluster.agentsMetric('plimsoll_task_failures_total', { reason: 'exit' });
    const before = await failures();
    await cluster.create('web', 'plimsoll/sleep:1', '/bin/sh', '-c', 'exit 3');
    expect(await cluster.taskError('web', /non-zero exit/)).toBe('"task: non-zero exit (3)"');
    await eventually(async () => (await failures()) >= before + 6, { timeoutMs: 60_000, what: 'six failures' });

    // Waits 0, 100, 200, 400, 800 ms: the newest ended attempts are the furthest apart.
    const ended = (await cluster.tasks('web', 'desired-state=shutdown')).slice(0, 2).map((task) => task.id);
    const times = await Promise.all(
      ended.map((id) => cluster.docker('inspect', '--format', '{{.Status.Timestamp}}', id)),
    );
    const [newest = Number.NaN, older = Number.NaN] = times.map((time) => Date.parse(time));
    expect(newest - older).toBeGreaterThanOrEqual(400);
    expect((await cluster.tasks('web')).length).toBeLessThanOrEqual(6);
  });

  it('a reservation nobody can satisfy', async () => {
    await cluster.create('web', '--reserve-memory', '900gb', 'plimsoll/sleep:1');
    expect(await cluster.taskError('web', /no suitable node/)).toBe(
      '"no suitable node (insufficient resources on 3 nodes; wants 900 GiB of memory)"',
    );
    expect((await cluster.tasks('web'))[0]?.currentState).toMatch(/^Pending/);
    expect(await pending('web', 'resources')).toBe(1);
    await cluster.docker('service', 'update', '--detach', '--reserve-memory', '8mb', 'web');
    await cluster.settled('web', 1);
  });

  it('a constraint nobody meets, until a node does', async () => {
    await cluster.create('web', '--replicas', '2', '--constraint', 'node.labels.disk==fast', 'plimsoll/sleep:1');
    expect(await cluster.taskError('web', /no suitable node/)).toBe(
      '"no suitable node (scheduling constraints not satisfied on 3 nodes; wants node.labels.disk==fast)"',
    );
    expect(await pending('web', 'constraints')).toBe(2);
    await cluster.docker('node', 'update', '--label-add', 'disk=fast', 'h1');
    await cluster.settled('web', 2);
    await cluster.docker('node', 'update', '--label-rm', 'disk', 'h1');
  });

  it('an ingress port that another program on the host holds, until it lets go', async () => {
    const failures = () => cluster.agentMetric('h2', 'plimsoll_task_failures_total', { reason: 'port' });
    const before = await failures();
    // The program comes after the service: asked for while a node holds it, the port is refused at once.
    const published = ['--publish', 'published=8083,target=80'];
    await cluster.create('web', '--replicas', '0', ...onHost2, ...published, 'plimsoll/sleep:1');
    const other = await occupyPort(cluster, 'h2', 8083);
    try {
      await cluster.docker('service', 'scale', '--detach', 'web=1');
      expect(await cluster.taskError('web', /8083/)).toContain(
        'another process or container on this node holds the port',
      );
      expect(await failures()).toBeGreaterThan(before);
    } finally {
      other.stop();
    }
    await cluster.settled('web', 1);
  });

  it('an unhealthy container is replaced, one at a time', async () => {
    // A slow start is no illness.
    const patience = ['--health-start-period', '60s', '--health-timeout', '10s'];
    const flags = ['--health-interval', '200ms', '--health-retries', '1', ...patience];
    await cluster.create('web', '--replicas', '3', ...flags, 'plimsoll/hello:1');
    const first = await cluster.settled('web', 3);
    // In each container itself: a published port would choose a replica, perhaps the same one twice.
    const fail = "fetch('http://localhost/fail', { method: 'POST' })";
    for (const { host, id } of await cluster.serviceContainers('web')) {
      await cluster.engine(host, 'exec', '--detach', id, 'node', '-e', fail);
    }
    let fewestRunning = first.length;
    const allReplaced = async () => {
      const running = (await cluster.serviceContainers('web')).length;
      fewestRunning = Math.min(fewestRunning, running);
      const tasks = await cluster.running('web');
      return tasks.length === 3 && tasks.every((task) => first.every((old) => old.id !== task.id));
    };
    await eventually(allReplaced, { timeoutMs: 90_000, what: 'every unhealthy container to be replaced' });
    expect(fewestRunning).toBeGreaterThanOrEqual(2);
    expect(await cluster.taskError('web', /unhealthy/)).toContain('unhealthy');
  });
});
