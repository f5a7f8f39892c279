/** How answers travel: `{ok}` or `{error}` for one, frames of a type byte and a body for a stream of bytes. Pure. */
import { z } from 'zod';
import { ErrorBody } from '../model/error-body.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';

const Success = z.object({ ok: z.unknown() });
const Failure = z.object({ error: ErrorBody });

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value ?? null));
}

export function decodeJson(data: Uint8Array): unknown {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return JSON.parse(bytes.toString());
}

function wireError(error: unknown): ErrorBody {
  const code = error instanceof PlimsollError ? error.code : 'internal';
  return { code, message: messageOf(error) };
}

export function encodeAnswer(value: unknown): Uint8Array {
  return encodeJson({ ok: value ?? null });
}

export function encodeError(error: unknown): Uint8Array {
  return encodeJson({ error: wireError(error) });
}

/** The answer, or the error the other side threw. */
export function decodeAnswer(data: Uint8Array): unknown {
  const envelope = decodeJson(data);
  const success = Success.safeParse(envelope);
  if (success.success) return success.data.ok;
  const { error } = Failure.parse(envelope);
  throw new PlimsollError(error.code, error.message);
}

export type Frame =
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  /** So many more chunks of input may be sent. */
  | { readonly kind: 'grant'; readonly count: number }
  | { readonly kind: 'error'; readonly error: PlimsollError };

const DATA = 1;
const END = 2;
const ERROR = 3;
const GRANT = 4;

export function encodeDataFrame(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(bytes.length + 1);
  frame[0] = DATA;
  frame.set(bytes, 1);
  return frame;
}

export function encodeEndFrame(): Uint8Array {
  return Uint8Array.of(END);
}

/** `count` is at most 255. */
export function encodeGrantFrame(count: number): Uint8Array {
  return Uint8Array.of(GRANT, count);
}

export function encodeErrorFrame(error: unknown): Uint8Array {
  const frame = encodeDataFrame(encodeJson(wireError(error)));
  frame[0] = ERROR;
  return frame;
}

export function decodeFrame(data: Uint8Array): Frame {
  const body = data.subarray(1);
  switch (data[0]) {
    case DATA:
      return { kind: 'data', bytes: body };
    case END:
      return { kind: 'end' };
    case GRANT:
      return { kind: 'grant', count: body[0] ?? 0 };
    case ERROR: {
      const { code, message } = ErrorBody.parse(decodeJson(body));
      return { kind: 'error', error: new PlimsollError(code, message) };
    }
    default:
      return { kind: 'error', error: new PlimsollError('internal', `Unknown frame type ${data[0]} in a stream`) };
  }
}
