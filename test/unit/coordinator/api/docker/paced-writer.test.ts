import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { pacedWriter } from '../../../../../coordinator/api/docker/paced-writer.ts';

/** A client that takes the next bytes when it is told to. */
class SlowClient extends Writable {
  readonly taken: string[] = [];
  private take: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1 });
  }

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(bytes.toString());
    this.take = done;
  }

  takeOne(): void {
    this.take?.();
  }
}

const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);

test('thirty sources that wait for one client listen to it once', async () => {
  const client = new SlowClient();
  const write = pacedWriter(client, new AbortController().signal);

  const writes = lines.map((line) => write(Buffer.from(line)));
  const listeners = [client.listenerCount('drain'), client.listenerCount('error')];
  for (const _ of lines) {
    client.takeOne();
    await new Promise(setImmediate);
  }
  await Promise.all(writes);

  expect(listeners).toEqual([1, 1]);
  expect(client.taken).toEqual(lines);
  expect([client.listenerCount('drain'), client.listenerCount('error')]).toEqual([0, 0]);
});

test('all who wait hear that the client has gone, and nothing is written to it afterwards', async () => {
  const client = new SlowClient();
  const gone = new AbortController();
  const write = pacedWriter(client, gone.signal);
  const writes = Promise.allSettled([write(Buffer.from('one')), write(Buffer.from('two'))]);

  gone.abort();
  const outcomes = await writes;
  await write(Buffer.from('three'));

  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(client.writableLength).toBe('onetwo'.length);
});
