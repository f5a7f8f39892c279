import { expect, it } from 'vitest';
import { PastQueue } from '../../../../coordinator/past/past-queue.ts';
import type { PastDecision } from '../../../../model/past.ts';

const decision = (atMs: number): PastDecision => ({ v: 1, serviceId: 's', atMs, changes: [] });

/** A bus that stores only when it is told to. */
function slowBus() {
  const sent: string[] = [];
  const lost: string[] = [];
  const answers: (() => void)[] = [];
  const publish = (subject: string, past: object) => {
    sent.push(`${subject} ${'atMs' in past ? String(past.atMs) : ''}`);
    return new Promise<void>((resolve) => void answers.push(resolve));
  };
  const answer = async () => {
    answers.shift()?.();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  return { sent, lost, answer, parts: { publish, onLost: (subject: string) => void lost.push(subject) } };
}

it('sends so many at once, the next when one is stored, and of one subject in order', async () => {
  const bus = slowBus();
  const queue = new PastQueue(bus.parts, { inFlight: 2, waiting: 10, waitingPerSubject: 10 });

  for (const [subject, atMs] of [
    ['a', 1],
    ['a', 2],
    ['b', 1],
    ['c', 1],
  ] as const)
    queue.add(subject, decision(atMs));
  expect(bus.sent).toEqual(['a 1', 'b 1']);
  for (let count = 0; count < 4; count += 1) await bus.answer();

  expect(bus.sent).toEqual(['a 1', 'b 1', 'a 2', 'c 1']);
  expect(bus.lost).toEqual([]);
});

it('while the bus is slow the newest of a subject stay, and what finds no room is told of', async () => {
  const bus = slowBus();
  const queue = new PastQueue(bus.parts, { inFlight: 1, waiting: 3, waitingPerSubject: 2 });

  for (const atMs of [1, 2, 3, 4]) queue.add('a', decision(atMs));
  queue.add('b', decision(1));
  queue.add('c', decision(1));
  for (let count = 0; count < 6; count += 1) await bus.answer();

  expect(bus.sent).toEqual(['a 1', 'a 3', 'b 1', 'a 4']);
  expect(bus.lost).toEqual(['a', 'c']);
});

it('one that fails is told of, the next is sent', async () => {
  const lost: unknown[] = [];
  const sent: string[] = [];
  const publish = (subject: string) => {
    sent.push(subject);
    return subject === 'a' ? Promise.reject(new Error('away')) : Promise.resolve();
  };
  const onLost = (_: string, error: unknown) => void lost.push(error);
  const queue = new PastQueue({ publish, onLost }, { inFlight: 1, waiting: 10, waitingPerSubject: 10 });

  for (const subject of ['a', 'b']) queue.add(subject, decision(1));
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();

  expect(sent).toEqual(['a', 'b']);
  expect(lost).toEqual([new Error('away')]);
});
