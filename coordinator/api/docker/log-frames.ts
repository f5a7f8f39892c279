/** Docker's multiplexed streams: an 8-byte header (stream, 0, 0, 0, length) before each payload. */

const HEADER_BYTES = 8;
/** More than an engine ever puts into one frame: a length above it means the bytes are no frames. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

/** Stream 1 is standard output, 2 standard error; the text of a frame of this one ends the client with an error. */
export const STREAM_ERROR = 3;

export interface LogFrame {
  readonly stream: number;
  readonly payload: Buffer;
}

export function encodeFrame(stream: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt8(stream, 0);
  frame.writeUInt32BE(payload.length, 4);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** The frames of a stream of bytes that is cut anywhere. A frame cut off at the end is left out. */
export async function* readFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogFrame> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let offset = 0;
    while (rest.length - offset >= HEADER_BYTES) {
      const length = rest.readUInt32BE(offset + 4);
      if (length > MAX_PAYLOAD_BYTES) throw new Error(`Cannot read logs: a frame claims ${length} bytes`);
      const end = offset + HEADER_BYTES + length;
      if (rest.length < end) break;
      yield { stream: rest.readUInt8(offset), payload: rest.subarray(offset + HEADER_BYTES, end) };
      offset = end;
    }
    rest = rest.subarray(offset);
  }
}
