/** Connections that do not behave: others are served meanwhile, and what never was whole changes nothing. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ServedApis, serveApis } from './served-apis.ts';

const spec = JSON.stringify({ Name: 'web', TaskTemplate: { ContainerSpec: { Image: 'a:1' } } });
const head = (length: number) =>
  `POST /services/create HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

let apis: ServedApis;
let sockets: Socket[];

beforeEach(async () => {
  apis = await serveApis();
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await apis.stop();
});

async function open(text = ''): Promise<Socket> {
  const socket = connect(apis.socketPath);
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

function ping(): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ socketPath: apis.socketPath, path: '/_ping', timeout: 20_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .on('timeout', () => reject(new Error('no answer')))
      .end();
  });
}

/** All that comes back until the server closes, or the first answer is there. */
function firstAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\r\n\r\n')) resolve(text);
    });
    socket.on('close', () => resolve(text));
  });
}

const services = () => apis.memory.store('plim_spec').content('service.>');

it.each([
  ['say nothing', ''],
  ['stop amid the headers', 'POST /services/create HTTP/1.1\r\nHost: d'],
  ['send their body byte by byte and never end', `${head(1_000)}{`],
])('five hundred that %s keep nobody else from being served', async (_what, text) => {
  await Promise.all(Array.from({ length: 500 }, () => open(text)));

  expect(await ping()).toBe(200);
  expect(services()).toEqual([]);
});

it('a body that is shorter than announced changes nothing', async () => {
  const socket = await open(`${head(spec.length + 10)}${spec}`);
  socket.end();

  expect(await firstAnswer(socket)).toMatch(/^$|^HTTP\/1\.1 400 /);
  expect(await ping()).toBe(200);
  expect(services()).toEqual([]);
});

it('a body that is longer than announced is cut there, and the rest is no request', async () => {
  const socket = await open(`${head(10)}${spec}`);

  expect(await firstAnswer(socket)).toMatch(/^HTTP\/1\.1 400 /);
  expect(services()).toEqual([]);
});

it('two lengths, or a length and chunks, are refused', async () => {
  for (const header of ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n']) {
    const doubled = head(spec.length).replace('\r\n\r\n', `\r\n${header}\r\n`);
    expect(await firstAnswer(await open(`${doubled}${spec}`))).toMatch(/^HTTP\/1\.1 400 /);
  }
  expect(services()).toEqual([]);
});
