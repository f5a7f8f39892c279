/**
 * `node caller.js ADDRESS PORT`: begins a connection every few milliseconds, however long others take, until it is told to end
 * (SIGTERM); prints when each began and whether it came about, one a line. A connection sent to a task that is dead does not.
 */
import { connect } from 'node:net';

const EVERY_MS = 4;
/** An answer comes within a millisecond; nobody answers for a dead task, and the packet is sent again after a second. */
const PATIENCE_MS = 700;

const [, , address = '', port = ''] = process.argv;

function call(): void {
  const beganAtMs = performance.timeOrigin + performance.now();
  const socket = connect({ host: address, port: Number(port) });
  const over = (word: 'up' | 'failed') => {
    process.stdout.write(`${beganAtMs} ${word}\n`);
    socket.destroy();
  };
  socket.setTimeout(PATIENCE_MS, () => over('failed'));
  socket.once('connect', () => over('up'));
  socket.once('error', () => over('failed'));
}

const calling = setInterval(call, EVERY_MS);
process.once('SIGTERM', () => {
  clearInterval(calling);
  setTimeout(() => process.exit(), PATIENCE_MS * 2);
});
