/** The coordinator's native API, asked over its unix socket. */
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { ErrorBody } from '../model/error-body.ts';
import { PlimsollError } from '../runtime/errors.ts';
import { printableJson } from './printable-json.ts';

const REQUEST_TIMEOUT_MS = 10_000;

export interface ApiClient {
  get<T>(path: string, answer: z.ZodType<T>): Promise<T>;
  /** `body` is sent as JSON. */
  post<T>(path: string, answer: z.ZodType<T>, body?: unknown): Promise<T>;
  delete(path: string): Promise<void>;
  /** The lines of an endless answer, each parsed, until the signal aborts or the coordinator goes. */
  lines<T>(path: string, line: z.ZodType<T>, signal: AbortSignal): AsyncIterable<T>;
  /** The raw status of a page, for health. */
  status(path: string): Promise<{ readonly status: number; readonly text: string }>;
}

export function createApiClient(socketPath: string): ApiClient {
  const ask = async (method: string, path: string, body?: unknown): Promise<string> => {
    const response = await send(socketPath, method, path, { body });
    const text = await readText(response);
    if ((response.statusCode ?? 0) < 300) return text;
    throw errorOf(text, `${method} ${path}`);
  };
  return {
    get: async (path, answer) => answer.parse(parse(await ask('GET', path))),
    post: async (path, answer, body) => answer.parse(parse(await ask('POST', path, body))),
    delete: async (path) => void (await ask('DELETE', path)),
    lines: (path, line, signal) => readLines(socketPath, path, line, signal),
    status: async (path) => {
      const response = await send(socketPath, 'GET', path);
      return { status: response.statusCode ?? 0, text: await readText(response) };
    },
  };
}

interface SendOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

function send(
  socketPath: string,
  method: string,
  path: string,
  { body, signal }: SendOptions = {},
): Promise<IncomingMessage> {
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method, path, headers, ...(signal ? { signal } : {}) }, (response) => {
      asking.setTimeout(0);
      resolve(response);
    });
    asking.setTimeout(REQUEST_TIMEOUT_MS, () => asking.destroy(timeoutError(socketPath)));
    asking.on('error', (error) => reject(error instanceof PlimsollError ? error : unreachable(socketPath, error)));
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function timeoutError(socketPath: string): PlimsollError {
  return new PlimsollError(
    'timeout',
    `The coordinator at ${socketPath} did not answer in ${REQUEST_TIMEOUT_MS / 1000} s`,
  );
}

function unreachable(socketPath: string, cause: Error): PlimsollError {
  return new PlimsollError(
    'unavailable',
    `Cannot reach a coordinator at ${socketPath}: ${cause.message}. Start one with "plim up", or name its socket with --socket`,
    { cause },
  );
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function errorOf(text: string, what: string): PlimsollError {
  const parsed = ErrorBody.safeParse(parseJson(text));
  if (!parsed.success) return new PlimsollError('internal', `${what} failed: ${text.trim()}`);
  return new PlimsollError(parsed.data.code, parsed.data.message);
}

function parse(text: string): unknown {
  return JSON.parse(printableJson(text));
}

function parseJson(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

async function* readLines<T>(
  socketPath: string,
  path: string,
  line: z.ZodType<T>,
  signal: AbortSignal,
): AsyncIterable<T> {
  const response = await send(socketPath, 'GET', path, { signal });
  if (response.statusCode !== 200) throw errorOf(await readText(response), `GET ${path}`);
  for await (const text of createInterface({ input: response })) yield line.parse(parse(text));
}
