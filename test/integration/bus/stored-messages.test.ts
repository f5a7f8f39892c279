/** What a stream of a real server keeps, read back. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { pastStream } from '../../../bus/bucket-definitions.ts';
import type { ConnectedBus } from '../../../bus/connect-bus.ts';
import { subjects } from '../../../bus/subjects.ts';
import { TestNats } from '../../support/nats-server.ts';

const Numbered = z.object({ number: z.int() });

let nats: TestNats;
let coordinator: ConnectedBus;

beforeAll(async () => {
  nats = await TestNats.start();
  coordinator = await nats.coordinator();
});
afterAll(() => nats.stop());

async function publish(subject: string, ...numbers: number[]): Promise<void> {
  for (const number of numbers) await coordinator.bus.publishDurably(subject, { number });
}

const stored = async (subject: string) => (await coordinator.bus.stored(subject, Numbered)).map(({ number }) => number);

it('is read from the oldest to the newest, by subject or by all that match', async () => {
  await publish(subjects.pastExits('web', '1'), 1, 2);
  await publish(subjects.pastExits('web', '2'), 3);
  await publish(subjects.event('node', 'a'), 4);

  expect(await stored(subjects.pastExits('web', '1'))).toEqual([1, 2]);
  expect(await stored(subjects.pastExits('web', '*'))).toEqual([1, 2, 3]);
  expect(await stored(subjects.event('node', 'a'))).toEqual([4]);
  expect(await stored(subjects.pastExits('nobody', '*'))).toEqual([]);
});

it('is what was published one by one or many at once, in the same order', async () => {
  const subject = subjects.event('node', 'many');
  const numbers = Array.from({ length: 300 }, (_, index) => index);
  await publish(subject, -1);

  const ends = await coordinator.bus.publishAllDurably(numbers.map((number) => ({ subject, message: { number } })));

  expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(['fulfilled']));
  expect(await stored(subject)).toEqual([-1, ...numbers]);
});

it('leaves out what does not fit', async () => {
  await publish(subjects.pastDecisions('odd'), 1);
  await coordinator.bus.publishDurably(subjects.pastDecisions('odd'), { number: 'two' });
  await publish(subjects.pastDecisions('odd'), 3);

  expect(await stored(subjects.pastDecisions('odd'))).toEqual([1, 3]);
});

it('of many at once is all but what no stream keeps', async () => {
  const subject = subjects.event('node', 'kept');
  const messages = [subject, 'plim.nobody.keeps.this', subject].map((to, number) => ({
    subject: to,
    message: { number },
  }));

  const ends = await coordinator.bus.publishAllDurably(messages);

  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await stored(subject)).toEqual([0, 2]);
});

it('outlives the server, and is only the newest of each subject', async () => {
  const { maxMessagesPerSubject: most } = pastStream;
  const numbers = Array.from({ length: most + 3 }, (_, index) => index + 1);
  await publish(subjects.pastDecisions('busy'), ...numbers);

  await nats.killServer();
  await nats.startServer();
  const again = await nats.coordinator();

  const kept = await again.bus.stored(subjects.pastDecisions('busy'), Numbered);
  expect(kept.map(({ number }) => number)).toEqual(numbers.slice(-most));
});

it('cannot be read while nobody answers', async () => {
  await coordinator.bus.close();

  await expect(coordinator.bus.stored(subjects.pastDecisions('web'), Numbered)).rejects.toMatchObject({
    code: 'unavailable',
  });
});
