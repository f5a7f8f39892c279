import { expect, test } from 'vitest';
import { Acknowledgements } from '../../../../agent/network/acknowledgements.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

test('a node that is silent on one thing is waited for once, whatever it says of another', async () => {
  const clock = new FakeClock();
  const acknowledgements = new Acknowledgements(clock);
  const mesh = { revision: 5, nodeIds: ['h2'] };

  const first = acknowledgements.all([mesh], 2_000);
  await clock.advance(2_000);
  expect(await first).toEqual(['h2']);
  acknowledgements.note('h2', { networkId: 'back', revision: 9 });
  expect(await acknowledgements.all([mesh], 2_000)).toEqual([]);

  acknowledgements.note('h2', { revision: 5 });
  const again = acknowledgements.all([{ ...mesh, revision: 6 }], 2_000);
  acknowledgements.note('h2', { revision: 6 });
  expect(await again).toEqual([]);
});
