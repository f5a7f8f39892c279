/** Reading JSON bodies: bounded, checked against a schema, refused with the name of the field that is wrong. */
import type { Request } from 'express';
import { z } from 'zod';
import { dropNulls } from '../../../model/service-spec.ts';
import { messageOf } from '../../../runtime/errors.ts';
import { spelledAs } from './key-spelling.ts';
import { ApiError } from './responses.ts';

export const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** No document of the Engine API comes near; deeper ones would overflow the stack of whoever walks them. */
const MAX_DEPTH = 100;

/** The parsed body; throws ApiError 400 or 413. Reading stops at the limit: a bigger body never lies in memory. */
export async function readJson<T>(req: Request, schema: z.ZodType<T>): Promise<T> {
  const type = req.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new ApiError(400, `unsupported Content-Type header (${type}): must be 'application/json'`);
  }
  return checkJson(parseJson(await readText(req)), schema);
}

/** The parsed body of a sender who says nothing reliable of its type. Throws ApiError 400 for what is not UTF-8 or not JSON, 413. */
export async function readUtf8Json(req: Request): Promise<unknown> {
  const bytes = await readBytes(req);
  return parseJson(utf8(bytes));
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError(400, 'the body: is not UTF-8');
  }
}

/** `null` counts as absent, the case of keys does not count. Throws ApiError 400 naming the first wrong field. */
export function checkJson<T>(json: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(spelledAs(schema, dropNulls(json)));
  if (result.success) return result.data;
  throw new ApiError(400, `invalid JSON: ${result.error.issues.map(describeIssue).join('; ')}`);
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const fields = issue.keys.map((key) => (path ? `${path}.${key}` : key)).join(', ');
    return `${fields}: unknown field`;
  }
  return `${path || 'the body'}: ${issue.message}`;
}

async function readText(req: Request): Promise<string> {
  return (await readBytes(req)).toString('utf8');
}

async function readBytes(req: Request): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge(req);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLarge(req);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(req: Request): ApiError {
  req.res?.setHeader('Connection', 'close');
  return new ApiError(413, `the request body is larger than ${MAX_BODY_BYTES} bytes`);
}

function parseJson(text: string): unknown {
  if (text.trim() === '') throw new ApiError(400, 'invalid JSON: got EOF while reading request body');
  if (depthOf(text) > MAX_DEPTH) throw new ApiError(400, `invalid JSON: nested deeper than ${MAX_DEPTH} levels`);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = messageOf(error).replace('Unexpected end of JSON input', 'unexpected EOF');
    throw new ApiError(400, `invalid JSON: ${reason}`);
  }
}

/**
 * How deep objects and lists of a JSON text lie in each other; brackets in strings do not count. Character by character:
 * a pattern for strings takes seconds over 40 KB of one that is not closed.
 */
function depthOf(text: string): number {
  let [depth, deepest, isInString] = [0, 0, false];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') isInString = !isInString;
    else if (isInString) index += character === '\\' ? 1 : 0;
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth -= 1;
  }
  return deepest;
}
