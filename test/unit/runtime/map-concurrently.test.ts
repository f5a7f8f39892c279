import { expect, it } from 'vitest';
import { mapConcurrently } from '../../../runtime/map-concurrently.ts';

it('answers in the order of the items, with so many under way at once', async () => {
  const ends: (() => void)[] = [];
  let [underWay, most] = [0, 0];
  const work = async (item: number) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise<void>((resolve) => ends.push(resolve));
    underWay -= 1;
    return item * 10;
  };

  const all = mapConcurrently([1, 2, 3, 4, 5], 2, work);
  for (let done = 0; done < 5; done += 1) {
    await Promise.resolve();
    ends.pop()?.();
    await new Promise(setImmediate);
  }

  expect(await all).toEqual([10, 20, 30, 40, 50]);
  expect(most).toBe(2);
});

it('of nothing is nothing', async () => {
  expect(await mapConcurrently([], 3, async () => 1)).toEqual([]);
});
