import { describe, expect, test } from 'vitest';
import { networkView } from '../../../../../coordinator/api/docker/network-view.ts';
import { serviceView } from '../../../../../coordinator/api/docker/service-view.ts';
import { serviceTasks } from '../../../../../coordinator/api/docker/task-view.ts';
import type { Snapshot } from '../../../../../coordinator/store/snapshot.ts';
import type { NetRecord, NetworkRecord } from '../../../../../model/network-records.ts';
import { netKey } from '../../../../../model/network-records.ts';
import { aNodeRecord, aStatusRecord, aTaskRecord, nodeIdOf } from '../../../../support/docker-api-server.ts';
import { aService, aSnapshot, aSpec, entryOf } from '../../../../support/snapshots.ts';

const id = 'n'.repeat(25);
const network: NetworkRecord = { v: 1, id, name: 'back', labels: {}, options: {}, internal: true, createdAtMs: 0 };
const service = aService({
  spec: aSpec({ TaskTemplate: { ContainerSpec: { Image: 'a:1' }, Networks: [{ Target: id }] } }),
});
const task = aTaskRecord(service, 1, nodeIdOf('h1'));
const status = aStatusRecord(task, { networks: [{ networkId: id, address: '10.200.0.2' }] });
const given: NetRecord[] = [
  {
    v: 1,
    epoch: 1,
    kind: 'subnet',
    network: { id, name: 'back', internal: true },
    nodeId: nodeIdOf('h1'),
    nodeAddress: '192.0.2.1',
    subnets: ['10.200.0.0/26'],
  },
  {
    v: 1,
    epoch: 1,
    kind: 'vip',
    networkId: id,
    serviceId: service.id,
    serviceName: 'web',
    aliases: [],
    address: '10.208.0.1',
  },
];
const snapshot: Snapshot = {
  ...aSnapshot({ services: [service], tasks: [task], statuses: [status] }),
  networks: new Map([[id, entryOf(id, network)]]),
  nets: new Map(given.map((record) => [netKey(record), entryOf(netKey(record), record)])),
  nodes: new Map([[nodeIdOf('h1'), entryOf(nodeIdOf('h1'), aNodeRecord('h1'))]]),
};

describe('networks in views of the Engine API', () => {
  test('a service shows its virtual addresses', () => {
    const view = serviceView(snapshot, entryOf(service.id, service), { insertDefaults: false, status: false });
    expect(view).toMatchObject({
      Endpoint: { Spec: { Mode: 'vip' }, VirtualIPs: [{ NetworkID: id, Addr: '10.208.0.1/16' }] },
    });
  });

  test('a running task shows its own, with the network they are on', () => {
    expect(serviceTasks(snapshot, service)[0]?.NetworksAttachments).toMatchObject([
      { Network: { ID: id, Spec: { Name: 'back', Internal: true } }, Addresses: ['10.200.0.2/26'] },
    ]);
  });

  test('a network shows its nodes, and its services to who asks for more', () => {
    expect(networkView(snapshot, network)).toMatchObject({
      Name: 'back',
      Scope: 'swarm',
      Driver: 'overlay',
      Internal: true,
      Peers: [{ Name: 'h1', IP: '192.0.2.1' }],
      Services: undefined,
    });
    expect(networkView(snapshot, network, { verbose: true })).toMatchObject({
      Services: { web: { VIP: '10.208.0.1', Tasks: [{ EndpointIP: '10.200.0.2' }] } },
    });
  });
});
