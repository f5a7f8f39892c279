import { expect, it } from 'vitest';
import { ToldSeldom } from '../../../runtime/told-seldom.ts';
import { FakeClock } from '../../support/fake-clock.ts';

it('tells of the first event of a kind at once, of a flood once a minute, and how large it was', async () => {
  const clock = new FakeClock();
  const seldom = new ToldSeldom(clock);
  const told: string[] = [];
  const event = (kind: string) => seldom.event(kind, (untold) => void told.push(`${kind} ${untold}`));
  for (let second = 0; second < 120; second += 1) {
    event('beat');
    event('beat');
    if (second === 30) event('usage');
    await clock.advance(1_000);
  }
  event('beat');

  expect(told).toEqual(['beat 0', 'usage 0', 'beat 119', 'beat 119']);
});
