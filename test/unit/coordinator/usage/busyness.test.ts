import { expect, it } from 'vitest';
import { busyness } from '../../../../coordinator/usage/busyness.ts';
import type { HeardUsage } from '../../../../coordinator/usage/usage-book.ts';

const usage = (cpuCores: number, memoryBytes = 0) =>
  ({
    usage: { cpuCores, cpuTotalCores: 10, memoryBytes, memoryTotalBytes: 100 },
    heardAtMs: 0,
  }) as unknown as HeardUsage;
const none = new Map<string, number>();

it('tells nodes with room from busy and full ones, by processors or memory', () => {
  const heard = new Map([
    ['idle', usage(7)],
    ['busy', usage(8)],
    ['full', usage(1, 95)],
  ]);

  expect(busyness(heard, none)).toEqual(
    new Map([
      ['busy', 1],
      ['full', 2],
    ]),
  );
});

it('takes a node for busy until it clearly is not any more', () => {
  const before = new Map([['a', 1]]);

  expect(busyness(new Map([['a', usage(7.2)]]), before)).toEqual(before);
  expect(busyness(new Map([['a', usage(6.9)]]), before)).toEqual(none);
});
