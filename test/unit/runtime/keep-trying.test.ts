import { expect, test } from 'vitest';
import { keepTrying } from '../../../runtime/keep-trying.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const retry = { firstMs: 100, maxMs: 5_000 };

function failing(times: number) {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  let calls = 0;
  const work = async () => {
    calls += 1;
    if (calls <= times) throw new Error(`failure ${calls}`);
    return calls;
  };
  return { clock, errors, work, rule: { clock, retry, onError: (error: unknown) => void errors.push(error) } };
}

test('tries again, each time after a longer wait, until it works', async () => {
  const { clock, errors, work, rule } = failing(2);
  const result = keepTrying(work, rule, new AbortController().signal);

  await clock.advance(299);
  expect(errors).toEqual([new Error('failure 1'), new Error('failure 2')]);
  await clock.advance(1);
  expect(await result).toBe(3);
});

test('answers nothing once the signal aborts, though it never worked', async () => {
  const { clock, work, rule } = failing(Number.POSITIVE_INFINITY);
  const ended = new AbortController();
  const result = keepTrying(work, rule, ended.signal);
  await clock.advance(1_000);

  ended.abort();

  expect(await result).toBeUndefined();
});
