import { describe, expect, it } from 'vitest';
import { Poke, runLoop } from '../../../runtime/loop.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const times = { minGapMs: 100, resyncMs: 30_000, retryMs: 1_000 };

describe('runLoop()', () => {
  it('runs at start, at every resync, sooner when poked, and retries after a failure', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const poke = new Poke();
    const ranAt: number[] = [];
    const errors: unknown[] = [];
    const begin = clock.elapsedMs();
    const tick = () => {
      ranAt.push(clock.elapsedMs() - begin);
      return ranAt.length === 1 ? Promise.reject(new Error('first one fails')) : Promise.resolve();
    };

    const done = runLoop({ tick, poke, times, clock, onError: (error) => errors.push(error) }, stop.signal);
    await clock.advance(40_000);
    poke.poke();
    await clock.advance(1_000);
    stop.abort();
    await done;

    expect(ranAt).toEqual([0, 1_100, 31_200, 40_000]);
    expect(errors).toHaveLength(1);
  });

  it('remembers a poke that came during a tick and merges many into one', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const poke = new Poke();
    let ticks = 0;
    const tick = () => {
      ticks += 1;
      if (ticks === 1) for (let i = 0; i < 5; i += 1) poke.poke();
      return Promise.resolve();
    };

    const done = runLoop({ tick, poke, times, clock, onError: () => {} }, stop.signal);
    await clock.advance(5_000);
    stop.abort();
    await done;

    expect(ticks).toBe(2);
  });
});
