import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { framed } from '../../../../agent/dns/frames.ts';
import { Listeners } from '../../../../agent/dns/listeners.ts';
import type { Resolver } from '../../../../agent/dns/resolver.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { createLog } from '../../../../runtime/log.ts';
import { eventually } from '../../../support/eventually.ts';
import { freePort } from '../../../support/free-port.ts';

const ADDRESS = '127.0.53.7';
const QUESTION = Buffer.from('a question');

describe('the sockets of the resolver', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function listening(answer: Resolver['answer']) {
    const port = await freePort();
    const log = createLog('test', 'silent');
    const listeners = new Listeners({ resolver: { answer }, port, clock: systemClock, log });
    expect(await listeners.keep([ADDRESS])).toEqual([]);
    ends.push(() => listeners.close());
    return { listeners, port };
  }

  /** Sends a question by UDP and answers the socket. */
  function ask(port: number) {
    const socket = createSocket('udp4');
    ends.push(() => socket.close());
    socket.send(QUESTION, port, ADDRESS);
    return socket;
  }

  it('close although an answer is still looked for', async () => {
    let give: (answer: Buffer) => void = () => undefined;
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const looked = new Promise<Buffer>((resolve) => {
      give = resolve;
    });
    const { listeners, port } = await listening(() => {
      asked();
      return looked;
    });
    ask(port);
    await isAsked;

    expect(await listeners.close()).toEqual([]);
    give(QUESTION);

    // What is thrown now by a handler would be an unhandled rejection, which fails the run.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('go on when a question cannot be answered', async () => {
    let asked = 0;
    const { port } = await listening(async (message) => {
      asked += 1;
      if (asked === 1) throw new Error('beyond words');
      return message;
    });
    ask(port);
    await eventually(() => asked === 1);

    const [answer] = await once(ask(port), 'message');

    expect(answer).toEqual(QUESTION);
  });

  it('close although a client keeps its connection', async () => {
    const { listeners, port } = await listening(async (message) => message);
    const client = connect(port, ADDRESS, () => client.write(framed(QUESTION)));
    ends.push(() => client.destroy());
    await once(client, 'data');
    const closed = once(client, 'close');

    expect(await listeners.close()).toEqual([]);

    await closed;
  });

  it('hang up on a client that asks and does not read', async () => {
    const questions = 500;
    let asked = 0;
    const { port } = await listening(async () => {
      asked += 1;
      return Buffer.alloc(65_535);
    });
    const client = connect(port, ADDRESS).pause();
    client.on('error', () => undefined);
    ends.push(() => client.destroy());
    client.write(Buffer.concat(Array.from({ length: questions }, () => framed(QUESTION))));
    await eventually(() => asked === questions);
    const closed = once(client, 'close');

    client.resume();
    await closed;

    expect(client.bytesRead).toBeLessThan(questions * 65_535);
  });

  it('leave connections for others: one container has 32 at most', async () => {
    const { port } = await listening(async (message) => message);
    const closed: unknown[] = [];
    const sockets = Array.from({ length: 40 }, () => connect(port, ADDRESS));
    for (const socket of sockets) {
      ends.push(() => socket.destroy());
      socket.on('error', () => undefined).on('close', () => closed.push(socket));
    }

    await eventually(() => closed.length === 8 || undefined, { what: 'the connections beyond 32 to be closed' });
    const open = sockets.filter((socket) => !closed.includes(socket));
    const answers = open.map((socket) => once(socket, 'data'));
    for (const socket of open) socket.write(framed(QUESTION));
    expect(await Promise.all(answers)).toHaveLength(32);
  });
});
