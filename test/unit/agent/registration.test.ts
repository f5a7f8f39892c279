import { expect, test } from 'vitest';
import { nextIncarnation, refuseSecond, register } from '../../../agent/registration.ts';
import type { Bucket } from '../../../bus/bus.ts';
import type { NodeRecord } from '../../../model/node-record.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import type { JsonFiles } from '../../../runtime/files.ts';
import { createLog } from '../../../runtime/log.ts';

const NOW_MS = 1_700_000_000_000;
const OLD = 'o'.repeat(25);
const NEW = 'n'.repeat(25);

/** One file, and what it says when read. */
class OneFile implements JsonFiles {
  written: unknown;
  private readonly content: () => unknown;

  constructor(content: () => unknown) {
    this.content = content;
  }

  async read(): Promise<unknown> {
    return this.content();
  }

  async write(_path: string, content: unknown): Promise<void> {
    this.written = content;
  }
}

const start = (files: JsonFiles) =>
  nextIncarnation({
    files,
    stateDir: '/state',
    newId: () => NEW,
    clock: { wallMs: () => NOW_MS },
    log: createLog('test', 'silent'),
  });

test('each start that the bus has accepted is followed by the next number', async () => {
  const file = new OneFile(() => ({ incarnation: 4, instance: OLD, registered: true }));

  expect(await start(file)).toEqual({ incarnation: 5, instance: NEW, registered: false });
  expect(file.written).toEqual({ incarnation: 5, instance: NEW, registered: false });
});

test('a start that the bus has not heard of is tried again', async () => {
  const last = { incarnation: 4, instance: OLD, registered: false };

  expect(await start(new OneFile(() => last))).toEqual(last);
});

test.each([
  ['no JSON', () => JSON.parse('{"incarn')],
  ['not what we write', () => ({ incarnation: 'four' })],
])('a damaged file, %s, starts a number higher than any before', async (_what, content) => {
  expect((await start(new OneFile(content))).incarnation).toBe(NOW_MS / 1000 + 1);
});

const own: Pick<NodeRecord, 'id' | 'incarnation' | 'instance'> = { id: 'n1', incarnation: 5, instance: NEW };

const asking = (answer: () => Promise<unknown>) =>
  refuseSecond({ askNode: async (_id, _verb, _message, reply) => reply.parse(await answer()) }, own);

test('an agent that lives under this identity is not replaced', async () => {
  const living = { instance: OLD, incarnation: 4, hostname: 'h3', address: '10.0.0.3' };

  await expect(asking(async () => living)).rejects.toThrow(
    /h3 \(10\.0\.0\.3, incarnation 4\) runs under the same identity/,
  );
  await expect(asking(async () => ({ ...living, instance: NEW }))).resolves.toBeUndefined();
});

test.each(['unavailable', 'timeout'] as const)('one that does not answer (%s) is', async (code) => {
  const silent = () => Promise.reject(new PlimsollError(code, 'nobody'));

  await expect(asking(silent)).resolves.toBeUndefined();
});

test('gives up after some tries where what it reads stays behind what is stored', async () => {
  let tries = 0;
  const lagging: Pick<Bucket<NodeRecord>, 'get' | 'create' | 'update'> = {
    get: async () => undefined,
    update: async () => 0,
    create: async () => {
      tries += 1;
      throw new PlimsollError('conflict', 'the key exists');
    },
  };

  await expect(register(lagging, own as NodeRecord)).rejects.toMatchObject({ code: 'conflict' });
  expect(tries).toBe(3);
});
