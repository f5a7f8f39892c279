import { expect, test } from 'vitest';
import { planOverlay } from '../../../../../agent/network/overlay/plan-overlay.ts';
import type { NetRecord } from '../../../../../model/network-records.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';

const network = { id: derivedId('network'), name: 'back', internal: false };

function rangeOf(node: string, nodeAddress: string, index: number): NetRecord {
  const place = { nodeId: derivedId('node', node), nodeAddress, subnets: [`10.200.${index}.0/26`] };
  return { v: 1, epoch: 1, kind: 'subnet', network, ...place };
}

test('a node at an address no packet can be sent to, or at this one’s own, takes the tunnel from nobody else', () => {
  const nets = [
    rangeOf('own', '192.0.2.1', 0),
    rangeOf('b', '192.0.2.2', 1),
    rangeOf('nowhere', '0.0.0.0', 2),
    rangeOf('loopback', '127.0.0.1', 3),
    rangeOf('clone', '192.0.2.1', 4),
  ];

  const { peers, table } = planOverlay({ nodeId: derivedId('node', 'own'), nets, endpoints: [], tasks: [] });

  expect(peers.map(({ address, subnets }) => [address, subnets])).toEqual([['192.0.2.2', ['10.200.1.0/26']]]);
  expect(table.nodes).toEqual(['192.0.2.2']);
});
