import { beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { PlimsollError } from '../../../runtime/errors.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { createLog, type Log } from '../../../runtime/log.ts';
import { FakeClock, settleMicrotasks } from '../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../support/memory-bus.ts';

const nodeId = derivedId('node');
const Text = z.object({ text: z.string() });

let clock: FakeClock;
let agent: MemoryConnection;
let coordinator: MemoryConnection;

beforeEach(() => {
  clock = new FakeClock();
  const server = new MemoryServer({ clock });
  agent = server.connect('agent');
  coordinator = server.connect('coordinator');
});

async function* chunks(count: number, bytes = 4): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) yield new Uint8Array(bytes).fill(index);
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

const forever = () => new AbortController().signal;

describe('messages', () => {
  test('reach subscribers that match; what does not fit is dropped and counted', async () => {
    const heard: string[] = [];
    coordinator.bus.subscribe('plim.beat.*', Text, (message, subject) => heard.push(`${subject} ${message.text}`));

    agent.bus.publish('plim.beat.a', { text: 'hello' });
    agent.bus.publish('plim.beat.a', { words: 1 });
    await settleMicrotasks();

    expect(heard).toEqual(['plim.beat.a hello']);
    expect(await coordinator.metrics.metrics()).toContain('plimsoll_bus_messages_dropped_total{kind="beat"} 1');
  });

  test('a flood of what does not fit is counted, and told of once', async () => {
    const warn = vi.fn<Log['warn']>();
    const log = { ...createLog('test', 'silent'), warn };
    const flooded = new MemoryServer({ clock, log });
    const [sender, receiver] = [flooded.connect('agent'), flooded.connect('coordinator')];
    receiver.bus.subscribe('plim.beat.*', Text, () => undefined);
    for (let sent = 0; sent < 100; sent += 1) sender.bus.publish('plim.beat.a', { words: sent });
    await settleMicrotasks();

    expect(await receiver.metrics.metrics()).toContain('plimsoll_bus_messages_dropped_total{kind="beat"} 100');
    expect(warn).toHaveBeenCalledOnce();
  });

  test('a handler that throws hurts nobody', async () => {
    const heard = vi.fn<() => void>();
    coordinator.bus.subscribe('plim.beat.a', Text, () => {
      throw new Error('oops');
    });
    coordinator.bus.subscribe('plim.beat.a', Text, heard);

    agent.bus.publish('plim.beat.a', { text: 'x' });
    await settleMicrotasks();

    expect(heard).toHaveBeenCalledOnce();
    expect(await coordinator.metrics.metrics()).toContain('plimsoll_bus_handler_errors_total{kind="beat"} 1');
  });

  test('published while cut off are lost and counted', async () => {
    agent.disconnect();

    agent.bus.publish('plim.beat.a', { text: 'x' });

    expect(await agent.metrics.metrics()).toContain('plimsoll_bus_publish_failures_total{kind="beat"} 1');
  });
});

test('a question to whoever may answer reaches it beside another who is subscribed and hangs (simulation, seed 1006)', async () => {
  const server = new MemoryServer({ clock });
  const hung = server.connect('former leader');
  const answers = async () => ({ text: 'here' });
  hung.bus.respondWhile('plim.contact.*', Text, () => true, answers);
  hung.freeze();
  server.connect('follower').bus.respondWhile('plim.contact.*', Text, () => false, answers);
  server.connect('leader').bus.respondWhile('plim.contact.*', Text, () => true, answers);
  const asker = server.connect('agent');

  for (let question = 0; question < 20; question += 1)
    expect(await asker.bus.request('plim.contact.a', { text: 'where?' }, Text, 1_000)).toEqual({ text: 'here' });
});

describe('requests to a node', () => {
  test('are answered', async () => {
    agent.bus.answer(nodeId, 'echo', Text, async ({ text }) => ({ text: text.toUpperCase() }));

    expect(await coordinator.bus.askNode(nodeId, 'echo', { text: 'hi' }, Text, 1_000)).toEqual({ text: 'HI' });
  });

  test('carry the error the agent threw', async () => {
    agent.bus.answer(nodeId, 'echo', Text, async () => {
      throw new PlimsollError('not-found', 'no such container');
    });

    const asking = coordinator.bus.askNode(nodeId, 'echo', { text: 'hi' }, Text, 1_000);

    await expect(asking).rejects.toMatchObject({ code: 'not-found', message: 'no such container' });
  });

  test('that do not fit are refused as invalid', async () => {
    agent.bus.answer(nodeId, 'echo', Text, async () => ({ text: '' }));

    await expect(coordinator.bus.askNode(nodeId, 'echo', 42, Text, 1_000)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('nobody answers fail at once, ones that hang after their time', async () => {
    await expect(coordinator.bus.askNode(nodeId, 'echo', {}, Text, 1_000)).rejects.toMatchObject({
      code: 'unavailable',
    });
    agent.bus.answer(nodeId, 'echo', Text, () => new Promise(() => {}));
    const asking = coordinator.bus.askNode(nodeId, 'echo', { text: '' }, Text, 1_000).catch((error: unknown) => error);
    await clock.advance(1_000);
    expect(await asking).toMatchObject({ code: 'timeout' });
  });

  test('with a reply subject that is no inbox are not even looked at', async () => {
    const handler = vi.fn<() => Promise<void>>();
    agent.bus.answer(nodeId, 'stop', Text, handler);

    coordinator.publish(`plim.rpc.${nodeId}.stop`, Buffer.from('{"text":"x"}'), '$KV.plim_spec.service.x');
    coordinator.publish(`plim.rpc.${nodeId}.stop`, Buffer.from('{"text":"x"}'));
    await settleMicrotasks();

    expect(handler).not.toHaveBeenCalled();
  });
});

describe('byte streams from a node', () => {
  const ask = (signal: AbortSignal) => coordinator.bus.askNodeStream(nodeId, 'logs', { text: 'x' }, signal);

  test('arrive whole and in order, larger than the window and a chunk', async () => {
    agent.bus.answerStream(nodeId, 'logs', Text, () => chunks(20, 150_000));

    const bytes = await read(ask(forever()));

    expect(bytes.length).toBe(20 * 150_000);
    expect([bytes[0], bytes[150_000], bytes.at(-1)]).toEqual([0, 1, 19]);
  });

  test('an error of the source arrives after what was read', async () => {
    agent.bus.answerStream(nodeId, 'logs', Text, async function* () {
      yield Buffer.from('first');
      throw new PlimsollError('not-found', 'container is gone');
    });
    const seen: string[] = [];

    const reading = (async () => {
      for await (const part of ask(forever())) seen.push(Buffer.from(part).toString());
    })();

    await expect(reading).rejects.toMatchObject({ code: 'not-found' });
    expect(seen).toEqual(['first']);
  });

  test('a slow reader holds its source to the window', async () => {
    let produced = 0;
    agent.bus.answerStream(nodeId, 'logs', Text, async function* () {
      for (; produced < 100; produced += 1) yield Uint8Array.of(produced);
    });
    const stream = ask(forever())[Symbol.asyncIterator]();

    await stream.next();
    await settleMicrotasks();

    expect(produced).toBeLessThan(12);
    await stream.return?.();
  });

  test('a reader that leaves ends the source', async () => {
    let ended = false;
    agent.bus.answerStream(nodeId, 'logs', Text, async function* (_message, signal) {
      signal.addEventListener('abort', () => {
        ended = true;
      });
      yield* chunks(1_000);
    });

    for await (const _part of ask(forever())) break;
    await settleMicrotasks();

    expect(ended).toBe(true);
  });

  test('an aborted reader stops without an error', async () => {
    agent.bus.answerStream(nodeId, 'logs', Text, async function* (_message, signal) {
      yield Buffer.from('x');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const ending = new AbortController();
    const reading = read(ask(ending.signal));
    await settleMicrotasks();

    ending.abort();

    expect((await reading).toString()).toBe('x');
  });

  test('a silent stream stays open; one whose other side died ends on both sides', async () => {
    let gone: AbortSignal | undefined;
    agent.bus.answerStream(nodeId, 'logs', Text, async function* (_message, signal) {
      gone = signal;
      yield Buffer.from('x');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const reading = read(ask(forever())).catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(gone?.aborted).toBe(false);

    agent.disconnect();
    await clock.advance(30_000);

    expect(gone?.aborted).toBe(true);
    expect(await reading).toMatchObject({ code: 'unavailable' });
  });

  test('one whose source is closed without a word ends with the next sign of life', async () => {
    agent.bus.answerStream(nodeId, 'logs', Text, async function* (_message, signal) {
      yield Buffer.from('x');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const reading = read(ask(forever())).catch((error: unknown) => error);
    await settleMicrotasks();

    await agent.close();
    await clock.advance(5_000);

    expect(await reading).toMatchObject({ code: 'unavailable', message: 'the source of the stream is gone' });
  });

  test('a node that does not answer is unavailable', async () => {
    await expect(read(ask(forever()))).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('input into a stream of a node', () => {
  const ask = (input: AsyncIterable<Uint8Array>, signal = forever()) =>
    coordinator.bus.askNodeStream(nodeId, 'exec', { text: 'x' }, signal, input);

  test('arrives whole and in order, and ends', async () => {
    agent.bus.answerStream(nodeId, 'exec', Text, (_message, _signal, input) => input);

    const bytes = await read(ask(chunks(20, 150_000)));

    expect(bytes.length).toBe(20 * 150_000);
    expect([bytes[0], bytes[150_000], bytes.at(-1)]).toEqual([0, 1, 19]);
  });

  test('is not taken from its source before it is asked for, nor beyond the window', async () => {
    let taken = 0;
    const source = async function* () {
      for (; taken < 100; taken += 1) yield Uint8Array.of(taken);
    };
    const [idle, slow] = [new AbortController(), new AbortController()];
    agent.bus.answerStream(nodeId, 'exec', Text, async function* (_message, signal, input) {
      yield Buffer.from('head');
      if (idle.signal.aborted) for await (const _bytes of input) break;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    void read(ask(source(), idle.signal));
    await settleMicrotasks();
    expect(taken).toBeLessThan(2);
    idle.abort();

    void read(ask(source(), slow.signal));
    await settleMicrotasks();

    expect(taken).toBeGreaterThan(6);
    expect(taken).toBeLessThan(12);
    slow.abort();
  });

  test('that fails ends the stream on both sides', async () => {
    const seen: unknown[] = [];
    agent.bus.answerStream(nodeId, 'exec', Text, async function* (_message, signal, input) {
      yield Buffer.from('head');
      try {
        for await (const bytes of input) seen.push(Buffer.from(bytes).toString());
      } catch (error) {
        seen.push(error, signal.aborted);
      }
    });
    const source = async function* () {
      yield Buffer.from('some');
      throw new Error('the client is gone');
    };

    await expect(read(ask(source()))).rejects.toThrow('the client is gone');
    await settleMicrotasks();

    expect(seen).toEqual(['some', expect.objectContaining({ code: 'unavailable' }), true]);
  });

  test('beyond what was granted ends the session', async () => {
    let isRefused: AbortSignal | undefined;
    agent.bus.answerStream(nodeId, 'exec', Text, async function* (_message, signal) {
      isRefused = signal;
      yield Buffer.from('head');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const streamId = 'rude';
    const reply = `plim.reply.${nodeId}.${streamId}`;
    coordinator.publish(
      `plim.rpc.${nodeId}.exec`,
      Buffer.from(JSON.stringify({ streamId, message: { text: '' } })),
      reply,
    );
    await settleMicrotasks();
    for (let sent = 0; sent < 9; sent += 1) {
      coordinator.publish(`plim.rpc.${nodeId}._stream.${streamId}`, Uint8Array.of(4, sent));
    }
    await settleMicrotasks();

    expect(isRefused?.aborted).toBe(true);
  });
});
