import { beforeEach, describe, expect, test } from 'vitest';
import { Traffic } from '../../../../../agent/network/traffic/traffic.ts';
import { trafficView } from '../../../../../agent/network/traffic/traffic-view.ts';
import type { EndpointRecord, NetRecord } from '../../../../../model/network-records.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';
import { createMetrics } from '../../../../../runtime/metrics.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { aContainer, aTask } from '../../../../support/tasks.ts';

const network = { id: derivedId('network'), name: 'back', internal: false };
const onNetwork = { template: { Networks: [{ Target: network.id }] } };
const api = aTask({ name: 'api', ...onNetwork });
const apiHere = {
  record: api,
  containers: [
    aContainer(api, { address: undefined, labels: { 'plimsoll.network.addresses': `${network.id}=10.200.0.3` } }),
  ],
};
const nets: NetRecord[] = [
  {
    v: 1,
    epoch: 1,
    kind: 'subnet',
    network,
    nodeId: derivedId('node', 1),
    nodeAddress: '192.0.2.1',
    subnets: ['10.200.0.0/26', '10.50.0.0/24'],
  },
];
/** `web` runs on another node. */
const endpoints: EndpointRecord[] = [
  {
    v: 1,
    networkId: network.id,
    nodeId: derivedId('node', 2),
    endpoints: [
      {
        taskId: derivedId('task', 'web', 1),
        serviceId: derivedId('service', 'web'),
        serviceName: 'web',
        slot: 1,
        aliases: [],
        address: '10.200.1.2',
      },
    ],
    members: ['10.200.1.2'],
  },
];
const view = trafficView([apiHere], { nets, endpoints });

/** nft as far as it is asked: remembers what it was given, lists counters as they are set here. */
class FakeNft {
  readonly loaded: string[] = [];
  hasTable = false;
  refuses = false;
  readonly sets: Record<string, Record<string, number>> = { connections: {}, outside: {}, calls: {} };

  readonly run = async (_program: string, args: readonly string[], stdin = '') => {
    const failed = { exitCode: 1, stdout: '', stderr: 'No such file or directory' };
    if (this.refuses) return failed;
    if (args[0] === '-f') {
      this.loaded.push(stdin);
      this.hasTable = !stdin.trim().endsWith('delete table ip plimsoll_traffic');
      return { exitCode: 0, stdout: '', stderr: '' };
    }
    if (!this.hasTable) return failed;
    return { exitCode: 0, stdout: this.listing(args.at(-1) ?? ''), stderr: '' };
  };

  private listing(name: string): string {
    const elem = Object.entries(this.sets[name] ?? {}).map(([key, packets]) => ({
      elem: {
        val: key.includes(' ') ? { concat: key.split(' ') } : key,
        expires: 599,
        counter: { packets, bytes: 60 },
      },
    }));
    const set = elem.length > 0 ? { name, elem } : { name };
    return JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, { set }] });
  }
}

describe('Traffic', () => {
  let nft: FakeNft;
  let clock: FakeClock;
  let registry: ReturnType<typeof createMetrics>;
  let traffic: Traffic;

  beforeEach(() => {
    nft = new FakeNft();
    clock = new FakeClock();
    registry = createMetrics('agent', '0');
    traffic = new Traffic({ run: nft.run, files: { read: async () => '' }, clock, metrics: registry });
  });

  const seriesOf = async (name: string) =>
    (await registry.getSingleMetricAsString(name)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  test('counts what is begun to a task from its first reading on, and goes on when an element began again', async () => {
    nft.sets['connections'] = { '10.200.0.3': 4, '172.17.0.9': 7 };
    expect((await traffic.read(view))?.byTask).toEqual(new Map([[api.id, 4]]));

    nft.sets['connections'] = { '10.200.0.3': 9 };
    expect((await traffic.read(view))?.byTask.get(api.id)).toBe(9);

    nft.sets['connections'] = { '10.200.0.3': 2 };
    expect((await traffic.read(view))?.byTask.get(api.id)).toBe(11);
    expect(await seriesOf('plimsoll_task_connections_total')).toEqual([
      `plimsoll_task_connections_total{service="api",task="${api.id}"} 11`,
    ]);
  });

  test('says every ten seconds who began how many, by service', async () => {
    await traffic.read(view);
    await clock.advance(10_000);
    nft.sets['outside'] = { '10.200.0.3': 20 };
    nft.sets['calls'] = { '10.200.1.2 10.200.0.3': 50, '10.200.9.9 10.200.0.3': 10, '10.200.1.2 10.200.5.5': 3 };

    expect((await traffic.read(view))?.calls).toEqual([
      { from: derivedId('service', 'web'), to: api.serviceId, connectionsPerSecond: 5 },
      { from: undefined, to: api.serviceId, connectionsPerSecond: 3 },
    ]);
    expect(await seriesOf('plimsoll_service_calls_total')).toEqual([
      'plimsoll_service_calls_total{from="web",to="api"} 50',
      'plimsoll_service_calls_total{from="(outside)",to="api"} 30',
    ]);
  });

  test('loads the table once, with the ranges of networks that have their own', async () => {
    await traffic.read(view);
    await traffic.read(view);

    expect(nft.loaded).toHaveLength(1);
    expect(nft.loaded[0]).toContain('add element ip plimsoll_traffic ranges { 10.200.0.0/13, 10.50.0.0/24 }');
  });

  test('a table somebody took away is put back by the next reading, and nothing is counted twice', async () => {
    nft.sets['connections'] = { '10.200.0.3': 4 };
    await traffic.read(view);
    nft.hasTable = false;
    await expect(traffic.read(view)).rejects.toThrow('No such file');

    nft.sets['connections'] = { '10.200.0.3': 1 };
    expect((await traffic.read(view))?.byTask.get(api.id)).toBe(5);
  });

  test('a host that refuses the table is left alone for a minute', async () => {
    nft.refuses = true;
    await expect(traffic.read(view)).rejects.toThrow('No such file');
    nft.refuses = false;
    expect(await traffic.read(view)).toBeUndefined();
    expect(nft.loaded).toEqual([]);

    await clock.advance(60_000);
    expect(await traffic.read(view)).toBeDefined();
  });

  test('goes from the host with the last task that can be called, and its series with it', async () => {
    await traffic.read(view);
    const nobody = trafficView([{ record: aTask({ name: 'alone' }), containers: [aContainer(aTask())] }], {
      nets,
      endpoints,
    });

    expect(await traffic.read(nobody)).toBeUndefined();
    expect(nft.hasTable).toBe(false);
    expect(await seriesOf('plimsoll_task_connections_total')).toEqual([]);
  });
});

test('a task that publishes a port is called at its bridge address, one that has ended nowhere', () => {
  const web = aTask({ ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' }] });
  const ended = aContainer(web, { phase: 'exited', attempt: 2, address: '172.17.0.3' });

  expect(trafficView([{ record: web, containers: [aContainer(web), ended] }], { nets, endpoints }).tasks).toEqual([
    { taskId: web.id, serviceId: web.serviceId, serviceName: 'web', addresses: ['172.17.0.2'] },
  ]);
});
