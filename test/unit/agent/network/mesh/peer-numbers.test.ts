import { describe, expect, it } from 'vitest';
import { numberPeers, PEER_MASK, peerMark } from '../../../../../agent/network/mesh/peer-numbers.ts';

describe('numberPeers()', () => {
  it('gives newcomers the lowest free numbers and lets everybody keep theirs', () => {
    expect(numberPeers({ b: 2 }, ['a', 'b', 'c'])).toEqual({ a: 1, b: 2, c: 3 });
  });

  it('keeps the numbers of nodes that are gone while there are enough', () => {
    expect(numberPeers({ a: 1 }, ['b'])).toEqual({ a: 1, b: 2 });
  });

  it('gives them to others when numbers run out, and none to those beyond the last', () => {
    const nodes = Array.from({ length: 4_096 }, (_, index) => `n${index}`);
    const numbers = numberPeers({ gone: 1 }, nodes);

    expect(numbers['gone']).toBeUndefined();
    expect(new Set(Object.values(numbers)).size).toBe(4_095);
    expect(numbers['n4095']).toBeUndefined();
  });
});

describe('peerMark()', () => {
  it('lies within the mask, whatever the number', () => {
    for (const number of [1, 4_095]) expect((peerMark(number) & PEER_MASK) === peerMark(number)).toBe(true);
  });
});
