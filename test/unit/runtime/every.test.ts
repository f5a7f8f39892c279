import { expect, test } from 'vitest';
import { every } from '../../../runtime/every.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('every() does its turn at once, then at its pace, and never again after the end', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const turnsAt: number[] = [];

  const done = every(clock, 100, () => turnsAt.push(clock.elapsedMs()), stop.signal);
  await clock.advance(250);
  stop.abort();
  await done;
  await clock.advance(1_000);

  expect(turnsAt).toEqual([0, 100, 200]);
});

test('every() does nothing when it is over before it began', async () => {
  let turns = 0;

  await every(new FakeClock(), 100, () => (turns += 1), AbortSignal.abort());

  expect(turns).toBe(0);
});

test('every() asks anew how long to wait after each turn', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const turnsAt: number[] = [];

  const waitMs = () => turnsAt.length * 100;
  void every(clock, waitMs, () => turnsAt.push(clock.elapsedMs()), stop.signal);
  await clock.advance(600);
  stop.abort();

  expect(turnsAt).toEqual([0, 100, 300, 600]);
});
