import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EngineCalls } from '../../../../agent/engine/engine-calls.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

let folder: string;
let server: Server;
let answer: Answer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-calls-'));
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(join(folder, 'docker.sock'), resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function calls(clock = systemClock): EngineCalls {
  return new EngineCalls(`unix://${join(folder, 'docker.sock')}`, clock);
}

const get = { method: 'GET', path: '/thing', deadlineMs: 10_000 } as const;

describe('EngineCalls', () => {
  it('sends query and body, and answers the parsed reply', async () => {
    answer = async (request, response) => {
      const reply = { url: request.url, type: request.headers['content-type'], body: await text(request) };
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
    };

    const call = { ...get, method: 'POST', query: { name: 'a b', all: '1' }, body: { Image: 'a:1' } } as const;
    const reply = await calls().call(call, z.record(z.string(), z.string()));

    expect(reply).toEqual({ url: '/thing?name=a+b&all=1', type: 'application/json', body: '{"Image":"a:1"}' });
  });

  it('answers the text of what is no JSON', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('OK');

    expect(await calls().call(get, z.string())).toBe('OK');
  });

  it.each([
    [404, 'not-found'],
    [409, 'conflict'],
    [503, 'unavailable'],
    [400, 'invalid'],
    [500, 'internal'],
  ])("gives the engine's own words when it answers %i", async (status, code) => {
    answer = (_, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"message":"no such thing"}\n');

    await expect(calls().call(get, z.unknown())).rejects.toMatchObject({ code, message: 'no such thing' });
    await expect(calls().stream(get)).rejects.toMatchObject({ code, message: 'no such thing' });
  });

  it('says of half an answer that it cannot be understood, not that the engine is away', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"Id": "a');

    await expect(calls().call(get, z.object({ Id: z.string() }))).rejects.toMatchObject({ code: 'internal' });
  });

  it('takes the statuses that are fine too', async () => {
    answer = (_, response) => response.writeHead(304).end();

    expect(await calls().call({ ...get, fineToo: [304] }, z.unknown())).toBe('');
  });

  it('says that the engine is away', async () => {
    const away = new EngineCalls(`unix://${join(folder, 'nobody.sock')}`, systemClock);

    await expect(away.call(get, z.unknown())).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('gives up at the deadline, and hangs up', async () => {
    const clock = new FakeClock();
    const hungUp = new Promise<void>((resolve) => {
      answer = (request) => request.once('close', resolve);
    });
    const arrived = new Promise<void>((resolve) => server.once('request', () => resolve()));

    const refusal = calls(clock)
      .call(get, z.unknown())
      .catch((error: unknown) => error);
    await arrived;
    await clock.advance(10_000);

    expect(await refusal).toMatchObject({ code: 'timeout' });
    await hungUp;
  });

  it('ends a stream when its signal aborts, and only then', async () => {
    answer = (_, response) => response.writeHead(200).write('first\n');
    const stopping = new AbortController();

    const stream = await calls().stream({ ...get, signal: stopping.signal });
    const read: string[] = [];
    const reading = (async () => {
      for await (const chunk of stream) {
        read.push(String(chunk));
        stopping.abort();
      }
    })();

    await expect(reading).rejects.toThrow('aborted');
    expect(read).toEqual(['first\n']);
  });

  it('keeps one connection for calls one after the other', async () => {
    const ports = new Set<unknown>();
    answer = (request, response) => {
      ports.add(request.socket);
      response.writeHead(200).end('OK');
    };
    const engine = calls();

    await engine.call(get, z.unknown());
    await engine.call(get, z.unknown());

    expect(ports.size).toBe(1);
  });

  it('refuses an address it does not know', () => {
    expect(() => new EngineCalls('ssh://h1', systemClock)).toThrow('Cannot use the engine address "ssh://h1"');
  });
});
