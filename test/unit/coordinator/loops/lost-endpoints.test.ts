import { beforeEach, describe, expect, test } from 'vitest';
import { withdrawEndpoints } from '../../../../coordinator/loops/lost-endpoints.ts';
import type { MeshRecord } from '../../../../model/mesh-record.ts';
import type { EndpointRecord } from '../../../../model/network-records.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { createLog } from '../../../../runtime/log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';
import { aSubnet, subnetKey } from '../../../support/records.ts';
import { aSnapshot, entryOf } from '../../../support/snapshots.ts';

const networkId = derivedId('network', 'a');
const nodeOf = (name: string) => derivedId('node', name);

describe('endpoints of a lost node', () => {
  let connection: MemoryConnection;
  const log = createLog('test', 'silent');
  const nets = new Map(
    ['b', 'c'].map((node) => [subnetKey(node), entryOf(subnetKey(node), aSubnet('10.200.0.0/26', 1, node))]),
  );
  const snapshot = { ...aSnapshot(), nets };
  const announcementOf = (node: string): EndpointRecord => ({
    v: 1,
    networkId,
    nodeId: nodeOf(node),
    endpoints: [
      {
        taskId: derivedId('task', node),
        serviceId: derivedId('service'),
        serviceName: 'web',
        slot: 1,
        aliases: [],
        address: '10.200.0.2',
      },
    ],
    members: ['10.200.0.2'],
  });

  beforeEach(async () => {
    connection = new MemoryServer({ clock: new FakeClock() }).connect();
    for (const node of ['b', 'c']) {
      await connection.buckets.endpoints.put(`${networkId}.${nodeOf(node)}`, announcementOf(node));
    }
  });

  test('are taken out, its members and other nodes stay', async () => {
    await withdrawEndpoints({ ...connection.buckets, log }, snapshot, nodeOf('b'));

    const lost = await connection.buckets.endpoints.get(`${networkId}.${nodeOf('b')}`);
    expect(lost?.value).toEqual({ ...announcementOf('b'), endpoints: [] });
    const other = await connection.buckets.endpoints.get(`${networkId}.${nodeOf('c')}`);
    expect(other?.value).toEqual(announcementOf('c'));
  });

  test('its published ports lead nowhere, those of other nodes stay', async () => {
    const { meshes } = connection.buckets;
    const recordOf = (node: string, address: string): MeshRecord => ({
      v: 1,
      nodeId: nodeOf(node),
      address,
      ports: [{ protocol: 'tcp', port: 80, tasks: 1, affinity: 'none', masquerade: false }],
    });
    await meshes.put(nodeOf('b'), recordOf('b', '10.0.0.2'));
    await meshes.put(nodeOf('c'), recordOf('c', '10.0.0.3'));

    await withdrawEndpoints({ ...connection.buckets, log }, snapshot, nodeOf('b'));

    expect((await meshes.get(nodeOf('b')))?.value).toMatchObject({ ...recordOf('b', '10.0.0.2'), ports: [] });
    expect((await meshes.get(nodeOf('c')))?.value).toEqual(recordOf('c', '10.0.0.3'));
  });

  test('it is not waited for by tasks that leave elsewhere, with or without ports of its own', async () => {
    const { meshes } = connection.buckets;
    const abilities = ['acknowledges', 'answers-probes'];
    await meshes.put(nodeOf('b'), { v: 1, nodeId: nodeOf('b'), address: '10.0.0.2', ports: [], abilities });

    await withdrawEndpoints({ ...connection.buckets, log }, snapshot, nodeOf('b'));

    expect((await meshes.get(nodeOf('b')))?.value.abilities).toEqual(['answers-probes']);
  });

  test('a bus that refuses is logged, not thrown', async () => {
    const endpoints = {
      get: () => Promise.reject(new Error('away')),
      update: () => Promise.reject(new Error('away')),
    };
    await expect(
      withdrawEndpoints({ endpoints, meshes: endpoints, log }, snapshot, nodeOf('b')),
    ).resolves.toBeUndefined();
  });
});
