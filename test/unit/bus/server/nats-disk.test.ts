import { expect, test } from 'vitest';
import { diskStateAfter } from '../../../../bus/server/nats-disk.ts';

const MIB = 1024 * 1024;

test.each([
  ['enough', 100, 'enough'],
  ['enough', 20, 'enough'],
  ['enough', 1, 'full'],
  ['full', 20, 'full'],
  ['full', 64, 'enough'],
] as const)('%s with %i MiB free is %s', (before, freeMib, after) => {
  expect(diskStateAfter(before, freeMib * MIB)).toBe(after);
});
