import { describe, expect, it } from 'vitest';
import {
  dueAtMs,
  failuresAfter,
  inStartOrder,
  type ObservedUnit,
  unitsToStart,
} from '../../../../cli/supervise/plan.ts';
import type { Unit } from '../../../../cli/supervise/unit.ts';

function aUnit(name: string, after: string[] = []): Unit {
  return { name, description: name, file: `/bin/${name}`, args: [], environment: {}, after, staleFiles: [], build: '' };
}

function observed(unit: Unit, state: Partial<ObservedUnit> = {}): ObservedUnit {
  return { unit, alive: false, failures: 0, endedAtMs: undefined, ...state };
}

describe('unitsToStart()', () => {
  it('starts units that never ran, each after those it names', () => {
    const units = [
      observed(aUnit('agent', ['nats'])),
      observed(aUnit('coordinator', ['nats'])),
      observed(aUnit('nats')),
    ];

    expect(unitsToStart(units, 0)).toEqual(['nats', 'agent', 'coordinator']);
  });

  it('leaves running units alone', () => {
    expect(unitsToStart([observed(aUnit('nats'), { alive: true })], 0)).toEqual([]);
  });

  it('starts a unit again at once after its first short run, later ones with growing waits', () => {
    const ended = (failures: number) => observed(aUnit('nats'), { failures, endedAtMs: 1_000 });

    expect([1, 2, 3, 4].map((failures) => dueAtMs(ended(failures)) - 1_000)).toEqual([0, 100, 200, 400]);
    expect(dueAtMs(ended(50)) - 1_000).toBe(10_000);
    expect(unitsToStart([ended(3)], 1_199)).toEqual([]);
    expect(unitsToStart([ended(3)], 1_200)).toEqual(['nats']);
  });
});

describe('failuresAfter()', () => {
  it('counts short runs in a row and forgets them after a long one', () => {
    expect(failuresAfter(4, 9_999)).toBe(5);
    expect(failuresAfter(4, 10_000)).toBe(1);
  });
});

describe('inStartOrder()', () => {
  it('keeps every unit even when they wait for each other in a circle', () => {
    const names = inStartOrder([aUnit('b', ['a']), aUnit('a', ['b']), aUnit('c', ['b'])]).map((unit) => unit.name);

    expect(names).toEqual(['a', 'b', 'c']);
  });
});
