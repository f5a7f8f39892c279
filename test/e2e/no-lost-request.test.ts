/** Planned disruptions under load: requests go straight to the tasks the API calls ready, and none is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BalancedClient } from '../support/balanced-client.ts';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const REPLICAS = 12;
const patiently = { timeoutMs: 120_000, intervalMs: 500 };

describe('no request is lost', () => {
  let cluster: Cluster;
  let client: BalancedClient;

  const areRunning = async (isThere: (task: { readonly node: string; readonly image: string }) => boolean) => {
    const tasks = await cluster.running('web');
    return tasks.length === REPLICAS && tasks.every(isThere);
  };

  beforeAll(async () => {
    cluster = await sharedCluster();
    // All at once: stop-first would leave a moment without any.
    const order = ['--update-order', 'start-first', '--update-parallelism', '0', '--update-monitor', '1s'];
    // A probe over the network costs less than a command in each of so many containers.
    const probe = ['--no-healthcheck', '--label', 'plimsoll.readiness=period=1s http://:80/healthz'];
    const publish = ['--publish', 'mode=host,target=80'];
    await cluster.create('web', '--replicas', `${REPLICAS}`, ...order, ...probe, ...publish, 'plimsoll/hello:1');
    await eventually(() => areRunning(() => true), { ...patiently, what: 'all replicas to run' });
  });

  beforeAll(async () => {
    client = new BalancedClient(cluster, 'web');
    await client.start();
  });

  afterAll(async () => {
    await client.stop();
    await cluster.clear();
  });

  it('while twelve replicas are updated start-first', async () => {
    await cluster.docker('service', 'update', '--detach', '--image', 'plimsoll/hello:2', 'web');
    await eventually(() => areRunning(({ image }) => image === 'plimsoll/hello:2'), patiently);
    await eventually(() => client.versions.has('2'), patiently);

    expect(client.failures).toEqual([]);
    expect(client.versions).toEqual(new Set(['1', '2']));
  });

  it('while a node is drained', async () => {
    const before = client.requests;
    await cluster.docker('node', 'update', '--availability', 'drain', 'h3');
    await eventually(() => areRunning(({ node }) => node !== 'h3'), patiently);
    await eventually(() => client.requests > before + 20, patiently);

    expect(client.failures).toEqual([]);
  });
});
