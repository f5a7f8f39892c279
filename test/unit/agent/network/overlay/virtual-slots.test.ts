import { describe, expect, test } from 'vitest';
import { chanceChains, chanceVerdict, slotElements } from '../../../../../agent/network/overlay/virtual-slots.ts';

const vip = '10.208.0.1';
const serviceOf = (tasks: number) => ({
  vip,
  backends: Array.from({ length: tasks }, (_, index) => `10.200.${Math.floor(index / 250)}.${(index % 250) + 1}`),
});

/** How many slots lead to each task. */
function sharesOf(tasks: number): number[] {
  const shares = new Map<string, number>();
  for (const element of slotElements(serviceOf(tasks))) {
    const target = element.split(' : ')[1] ?? '';
    shares.set(target, (shares.get(target) ?? 0) + 1);
  }
  return [...shares.values()];
}

describe('the slots of a virtual address', () => {
  test.each([1, 2, 10, 63, 64])('%i tasks have one each', (tasks) => {
    expect(sharesOf(tasks)).toEqual(Array.from({ length: tasks }, () => 1));
    expect(chanceVerdict(serviceOf(tasks))).toEqual([`${vip} : goto one_of_${tasks}`]);
  });

  test.each([65, 100, 1_000, 10_000])('each of %i tasks has about as many as any other', (tasks) => {
    const shares = sharesOf(tasks);
    expect(shares).toHaveLength(tasks);
    expect(Math.max(...shares) / Math.min(...shares)).toBeLessThanOrEqual(1.25);
  });

  test('an address leads to a chain that is there and draws from just its slots', () => {
    const chains = chanceChains('backends');
    for (const tasks of [1, 64, 65, 128, 129, 10_000]) {
      const chain = chanceVerdict(serviceOf(tasks))[0]?.split(' goto ')[1];
      const slots = slotElements(serviceOf(tasks)).length;
      expect(chains.filter((text) => text.startsWith(`chain ${chain} {`))).toHaveLength(1);
      expect(chains.join('\n')).toContain(
        `chain ${chain} {\ndnat to ip daddr . numgen random mod ${slots} map @backends`,
      );
    }
  });

  test('without tasks it leads nowhere: connections are refused', () => {
    expect([...chanceVerdict(serviceOf(0)), ...slotElements(serviceOf(0))]).toEqual([]);
  });
});
