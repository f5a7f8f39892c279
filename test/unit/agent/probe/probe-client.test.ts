import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineCalls } from '../../../../agent/engine/engine-calls.ts';
import { createProbeClient } from '../../../../agent/probe/probe-client.ts';
import { parseProbe } from '../../../../model/probe.ts';
import { systemClock } from '../../../../runtime/clock.ts';

describe('a probe over the network', () => {
  let server: Server;
  let port = 0;
  const client = createProbeClient(new EngineCalls('unix:///nowhere', systemClock), systemClock);

  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/silent') return;
      if (request.url === '/101') {
        request.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
        return;
      }
      response.statusCode = Number(request.url?.slice(1));
      response.end('body');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const look = async (target: string, address: string | undefined = '127.0.0.1') => {
    // Whoever answers may take its time on a busy machine.
    const timeout = target.endsWith('/silent') ? '300ms' : '20s';
    const probe = parseProbe(`timeout=${timeout} ${target.replace('PORT', String(port))}`);
    if (probe === undefined) throw new Error(`${target} is no probe`);
    return client({ id: 'c', address }, probe);
  };

  it.each(['http://:PORT/200', 'http://:PORT/399', 'tcp://:PORT'])('%s passes', async (target) => {
    expect(await look(target)).toEqual({ ok: true });
  });

  it.each([
    ['http://:PORT/400', /HTTP status 400/],
    ['http://:PORT/503', /HTTP status 503/],
    ['http://:PORT/101', /closed without an answer/],
    ['http://:PORT/silent', /no answer within 300 ms/],
    ['https://:PORT/200', /https:/],
    ['http://:1/', /ECONNREFUSED/],
    ['tcp://:1', /TCP port 1: .*ECONNREFUSED/],
    ['exec true', /./],
  ])('%s fails and says why', async (target, why) => {
    expect(await look(target)).toEqual({ ok: false, why: expect.stringMatching(why) });
  });

  it('a container without a network cannot be asked', async () => {
    const probe = parseProbe('tcp://:1');
    expect(probe && (await client({ id: 'c', address: undefined }, probe))).toEqual({
      ok: false,
      why: 'the container has no address on this node',
    });
  });
});

describe('a command that hangs', () => {
  const execs = new Map<string, { Running: boolean; ExitCode: number | null }>();
  let server: Server;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const [, kind, id = '', action] = request.url?.split('/') ?? [];
      response.setHeader('Content-Type', 'application/json');
      if (kind === 'containers') {
        execs.set(`exec-${execs.size}`, { Running: true, ExitCode: null });
        return response.end(JSON.stringify({ Id: `exec-${execs.size - 1}` }));
      }
      const exec = execs.get(id);
      if (exec === undefined) response.statusCode = 404;
      return response.end(action === 'json' ? JSON.stringify(exec ?? { message: `No such exec: ${id}` }) : '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('gets no second one beside it until it has ended or the engine knows it no more', async () => {
    const engine = new EngineCalls(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, systemClock);
    const client = createProbeClient(engine, systemClock);
    const probe = parseProbe('timeout=100ms exec check');
    if (probe === undefined) throw new Error('no probe');
    const container = { id: 'c', address: undefined };
    const looks = async () => {
      const result = await client(container, probe);
      return [result.ok || result.why, execs.size];
    };

    expect(await looks()).toEqual([expect.stringContaining('took more than 100 ms'), 1]);
    expect(await looks()).toEqual([expect.stringContaining('of an earlier probe has not ended yet'), 1]);

    execs.set('exec-0', { Running: false, ExitCode: 0 });
    expect(await looks()).toEqual([expect.stringContaining('took more than 100 ms'), 2]);

    execs.delete('exec-1');
    execs.set('another', { Running: false, ExitCode: 0 });
    expect(await looks()).toEqual([expect.stringContaining('took more than 100 ms'), 3]);
  });
});
