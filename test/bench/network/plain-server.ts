/**
 * `node plain-server.js PORT`: answers every request over HTTP with the same few bytes, at once, so that a client measures the way
 * there and not a service. Says when it listens.
 */
import { createServer } from 'node:net';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n';
const KEPT = `${HEAD}\r\nok\n`;
const CLOSED = `${HEAD}Connection: close\r\n\r\nok\n`;

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  // The clients' requests are shorter than a packet, and each waits for the answer to the one before.
  socket.on('data', (request) => {
    if (request.includes('Connection: close')) socket.end(CLOSED);
    else socket.write(KEPT);
  });
});
server.listen({ port: Number(process.argv[2]), host: '0.0.0.0', backlog: 1_024 }, () => process.stdout.write('up\n'));
