import { describe, expect, it } from 'vitest';
import { planEncryption } from '../../../../../agent/network/wireguard/plan-encryption.ts';
import type { SubnetRecord } from '../../../../../model/network-records.ts';

interface Said {
  readonly node: string;
  readonly network: string;
  readonly subnet: string;
  readonly encrypted?: boolean;
  readonly key?: string;
}

const record = ({ node, network, subnet, encrypted, key }: Said): SubnetRecord => ({
  v: 1,
  kind: 'subnet',
  network: { id: network, name: network, internal: false, ...(encrypted && { encrypted }) },
  nodeId: node,
  nodeAddress: `10.0.0.${node.slice(1)}`,
  subnets: [subnet],
  epoch: 1,
  ...(key !== undefined && { wireguardKey: key }),
});
const vault = { network: 'vault', encrypted: true };
const ownVault = record({ node: 'h1', subnet: '10.200.0.0/26', ...vault, key: 'key1' });
const ownFront = record({ node: 'h1', network: 'front', subnet: '10.200.1.0/26' });

describe('planEncryption', () => {
  it('is nothing while no encrypted network has a range here, whatever others have', () => {
    const theirs = record({ node: 'h2', subnet: '10.200.2.0/26', ...vault, key: 'key2' });
    expect(planEncryption([ownFront], [theirs])).toBeUndefined();
  });

  it('takes the nodes on the same encrypted network, with their ranges of other networks too', () => {
    const others = [
      record({ node: 'h2', subnet: '10.200.2.0/26', ...vault, key: 'key2' }),
      record({ node: 'h2', network: 'front', subnet: '10.200.3.0/26' }),
      record({ node: 'h3', network: 'front', subnet: '10.200.4.0/26' }),
    ];
    expect(planEncryption([ownVault, ownFront], others)).toEqual({
      subnets: ['10.200.0.0/26', '10.200.2.0/26'],
      ownSubnets: ['10.200.0.0/26'],
      peers: [
        {
          address: '10.0.0.2',
          publicKey: 'key2',
          subnets: ['10.200.2.0/26'],
          allSubnets: ['10.200.2.0/26', '10.200.3.0/26'],
        },
      ],
    });
  });

  it('a node without a key is no peer, and its range is kept from going in clear', () => {
    const plan = planEncryption([ownVault], [record({ node: 'h2', subnet: '10.200.2.0/26', ...vault })]);
    expect(plan?.peers).toEqual([]);
    expect(plan?.subnets).toContain('10.200.2.0/26');
  });

  it('other encrypted networks of the cluster are none of its business', () => {
    const theirs = record({ node: 'h2', network: 'safe', encrypted: true, subnet: '10.200.2.0/26', key: 'key2' });
    expect(planEncryption([ownVault], [theirs])).toMatchObject({ peers: [], subnets: ['10.200.0.0/26'] });
  });
});
