import { once } from 'node:events';
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import { type AddressInfo, connect, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limitSending } from '../../../runtime/sending-limit.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** More than the kernel holds for a reader. */
const LARGE = Buffer.alloc(64 << 20);

describe('the limit of sending an answer', () => {
  let clock: FakeClock;
  let cutOff: number;
  let server: Server;
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    clock = new FakeClock();
    cutOff = 0;
    server = createServer((_request, response) => {
      limitSending(response, clock, () => {
        cutOff += 1;
      });
      answer(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const port = () => (server.address() as AddressInfo).port;

  it('cuts off a reader who takes no more of it', async () => {
    answer = (response) => response.end(LARGE);
    const reader = connect(port(), '127.0.0.1');
    reader.on('error', () => undefined);
    reader.write('GET / HTTP/1.1\r\nHost: server\r\n\r\n');
    await once(reader, 'data');
    reader.pause();

    await clock.advance(59_999);
    expect(cutOff).toBe(0);
    await clock.advance(1);

    expect(cutOff).toBe(1);
    const closed = once(reader, 'close');
    reader.resume();
    await closed;
  });

  it('waits for nobody who left before the answer began', async () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    response.destroy();
    limitSending(response, clock, () => {
      cutOff += 1;
    });

    await clock.advance(60_000);

    expect(cutOff).toBe(0);
  });

  it('leaves the connection to one who has taken it all', async () => {
    let sent: Promise<unknown> = Promise.resolve();
    answer = (response) => {
      sent = once(response, 'close');
      response.end('short');
    };
    const url = `http://127.0.0.1:${port()}`;
    expect(await (await fetch(url)).text()).toBe('short');
    await sent;

    await clock.advance(60_000);

    expect(cutOff).toBe(0);
    expect(await (await fetch(url)).text()).toBe('short');
  });
});
