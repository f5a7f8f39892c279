import { describe, expect, it } from 'vitest';
import { fillSlots, SLOTS } from '../../../../../agent/network/mesh/slots.ts';

const named = (...keys: readonly string[]) => keys.map((key) => ({ key, weight: 1 }));

function countOf(slots: readonly string[], key: string): number {
  return slots.filter((each) => each === key).length;
}

describe('fillSlots()', () => {
  it('shares all slots as evenly as they go', () => {
    const slots = fillSlots(named('a', 'b', 'c'));

    expect(slots).toHaveLength(SLOTS);
    expect(['a', 'b', 'c'].map((key) => countOf(slots, key)).sort()).toEqual([21, 21, 22]);
  });

  it('gives by weight, and nothing to who weighs nothing', () => {
    const slots = fillSlots([
      { key: 'a', weight: 3 },
      { key: 'b', weight: 1 },
      { key: 'c', weight: 0 },
    ]);

    expect(['a', 'b', 'c'].map((key) => countOf(slots, key))).toEqual([48, 16, 0]);
  });

  it('is empty without candidates, and when none weighs anything', () => {
    expect(fillSlots([])).toEqual([]);
    expect(fillSlots([{ key: 'a', weight: 0 }])).toEqual([]);
  });

  it('comes to the same whatever the order of the names', () => {
    expect(fillSlots(named('a', 'b', 'c'))).toEqual(fillSlots(named('c', 'a', 'b')));
  });

  it('moves few slots of those who stay when one goes', () => {
    const names = Array.from({ length: 8 }, (_, index) => `task-${index}`);
    const [before, after] = [fillSlots(named(...names)), fillSlots(named(...names.slice(1)))];
    const moved = before.filter((key, slot) => key !== 'task-0' && key !== after[slot]);

    expect(moved.length).toBeLessThanOrEqual(SLOTS / 4);
  });

  it('serves more candidates than slots, each at most once', () => {
    const slots = fillSlots(named(...Array.from({ length: 100 }, (_, index) => `node-${index}`)));

    expect(new Set(slots).size).toBe(SLOTS);
  });
});
