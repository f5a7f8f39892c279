import { describe, expect, it } from 'vitest';
import { isHostAddress, meshPeers } from '../../../../../agent/network/mesh/mesh-peers.ts';
import type { MeshRecord } from '../../../../../model/mesh-record.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';

const own = '10.0.0.1';
const port80 = { protocol: 'tcp', port: 80, tasks: 1, affinity: 'none', masquerade: false } as const;
const [a, b] = [derivedId('node', 'a'), derivedId('node', 'b')];
const numbers = { [a]: 2, [b]: 1 };

function record(nodeId: string, address: string, ports: MeshRecord['ports'] = []): MeshRecord {
  return { v: 1, nodeId, address, ports };
}

function idsOf(...records: readonly MeshRecord[]): string[] {
  return meshPeers(own, records, numbers).map(({ nodeId }) => nodeId);
}

describe('meshPeers()', () => {
  it('orders the others by their numbers and leaves out who has none', () => {
    const third = record(derivedId('node', 'c'), '10.0.0.4');

    expect(idsOf(record(a, '10.0.0.2'), record(b, '10.0.0.3'), third)).toEqual([b, a]);
  });

  it.each(['0.0.0.0', '127.0.0.1', '169.254.42.42', '224.0.0.1', '255.255.255.255'])(
    'goes without a node at %s, to which the kernel takes no way: all other ways would be refused with it',
    (address) => {
      expect(isHostAddress(address)).toBe(false);
      expect(idsOf(record(a, address, [port80]), record(b, '10.0.0.3'))).toEqual([b]);
    },
  );

  it('goes without a node this host has replaced under its address', () => {
    expect(idsOf(record(a, own, [port80]), record(b, '10.0.0.3'))).toEqual([b]);
  });

  it('of two nodes under one address takes the one with ready tasks, else the newer one', () => {
    expect(idsOf(record(a, '10.0.0.2', [port80]), record(b, '10.0.0.2'))).toEqual([a]);
    expect(idsOf(record(a, '10.0.0.2'), record(b, '10.0.0.2', [port80]))).toEqual([b]);
    expect(idsOf(record(a, '10.0.0.2'), record(b, '10.0.0.2'))).toEqual([b]);
  });
});
