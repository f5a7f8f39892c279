/** DNS over TCP: each message behind its length (RFC 1035, 4.2.2). */
import type { Socket } from 'node:net';

const LENGTH_BYTES = 2;

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Calls back with every whole message that arrives. */
export function readFrames(socket: Socket, onMessage: (message: Buffer) => void): void {
  let waiting = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    waiting = Buffer.concat([waiting, data]);
    while (waiting.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + waiting.readUInt16BE(0);
      if (waiting.length < end) return;
      onMessage(waiting.subarray(LENGTH_BYTES, end));
      waiting = waiting.subarray(end);
    }
  });
}
