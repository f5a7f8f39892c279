import { expect, test } from 'vitest';
import { ImageStore } from '../../../agent/image-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeEngine } from '../../support/fake-engine.ts';

test('an image counts as pulled only if it was not on the node before', async () => {
  const engine = new FakeEngine();
  const images = new ImageStore(engine, new FakeClock());
  const { signal } = new AbortController();

  await images.ensure('built-here:1', true, signal);
  engine.hasImage = async () => false;
  await images.ensure('fetched:1', false, signal);

  expect(['built-here:1', 'fetched:1'].map((image) => images.hasPulled(image))).toEqual([false, true]);
});
