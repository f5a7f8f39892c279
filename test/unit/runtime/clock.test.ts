import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('a wait of a month does not end at once', () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout');

  systemClock.after(30 * 24 * 3_600_000, () => undefined)();

  expect(setTimer.mock.calls[0]?.[1]).toBe(2 ** 31 - 1);
});
