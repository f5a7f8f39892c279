import { describe, expect, it } from 'vitest';
import { numberPeers, PACKET_MASK, packetMark } from '../../../../../agent/network/mesh/peer-numbers.ts';

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

describe('packetMark()', () => {
  it('lies within the mask, whatever the number', () => {
    for (const number of [1, 4_095]) expect((packetMark(number) & PACKET_MASK) === packetMark(number)).toBe(true);
  });

  it.each([0xca6c, 0x4000, 0x8000, 0x4_0000, 0x8_0000])('is never the mark %i of another program', (foreign) => {
    const marks = Array.from({ length: 4_095 }, (_, index) => packetMark(index + 1));

    expect(marks).not.toContain(foreign & PACKET_MASK);
  });
});
