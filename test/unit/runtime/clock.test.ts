import { afterEach, expect, test, vi } from 'vitest';
import { systemClock, Waits } from '../../../runtime/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('a wait of a month does not end at once', () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout');

  systemClock.after(30 * 24 * 3_600_000, () => undefined)();

  expect(setTimer.mock.calls[0]?.[1]).toBe(2 ** 31 - 1);
});

test('waits end in time, at once when their signal aborts, and listen to it once', async () => {
  const clock = new FakeClock();
  const ending = new AbortController();
  const listen = vi.spyOn(ending.signal, 'addEventListener');
  const waits = new Waits(clock, ending.signal);
  const ended: string[] = [];

  const first = waits.wait(1_000).then(() => ended.push('first'));
  await clock.advance(999);
  expect(ended).toEqual([]);
  await clock.advance(1);
  await first;
  const second = waits.wait(1_000).then(() => ended.push('second'));
  ending.abort();
  await second;
  await waits.wait(1_000);

  expect(ended).toEqual(['first', 'second']);
  expect(listen).toHaveBeenCalledTimes(1);
});
