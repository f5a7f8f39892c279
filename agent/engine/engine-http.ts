/**
 * HTTP to the engine over node's own client, with kept connections. A Docker client library would do no more here, and
 * brings ssh and gRPC along: a third of the agent's memory (docs/decisions/0015-cheap-agent.md).
 */
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { PlimsollError } from '../../runtime/errors.ts';

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Instead of `body`: bytes of this type, sent as they come. */
  readonly stream?: { readonly contentType: string; readonly bytes: AsyncIterable<Uint8Array> };
}

/** A request on its way; `giveUp` ends it, and the body of its answer, with an error. */
export interface SentRequest {
  readonly answered: Promise<IncomingMessage>;
  giveUp(error: Error): void;
}

export class EngineHttp {
  private readonly target: RequestOptions;

  /** `address` is one `engineTarget` understands. */
  constructor(address: string) {
    this.target = { ...engineTarget(address), agent: new Agent({ keepAlive: true }) };
  }

  send({ method, path, query = {}, headers = {}, body, stream }: EngineRequest): SentRequest {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const search = new URLSearchParams(query).toString();
    const sent = request({
      ...this.target,
      method,
      path: search === '' ? path : `${path}?${search}`,
      headers: {
        ...headers,
        ...(stream === undefined ? headersOf(method, payload) : { 'Content-Type': stream.contentType }),
      },
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      // Stays: what a connection says after its answer began is told by the answer's own stream.
      sent.on('error', reject);
    });
    if (stream === undefined) sent.end(payload);
    else
      Readable.from(stream.bytes)
        .on('error', (error) => sent.destroy(error))
        .pipe(sent);
    return { answered, giveUp: (error) => sent.destroy(error) };
  }
}

/** The whole body: parsed when it is JSON, else its text; so is what only claims to be JSON, for the schema to refuse. */
export async function bodyOf(answer: IncomingMessage): Promise<unknown> {
  const content = await text(answer);
  const isJson = answer.headers['content-type']?.startsWith('application/json') ?? false;
  return isJson ? parsedOr(content) : content;
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Where requests go. `address` is unix:///path or tcp://host:port; throws `invalid` for anything else. */
export function engineTarget(address: string): RequestOptions {
  const url = new URL(address);
  // The engine looks at no Host header, but HTTP wants one.
  if (url.protocol === 'unix:') return { socketPath: url.pathname, host: 'localhost' };
  if (url.protocol === 'tcp:') return { host: url.hostname, port: Number(url.port || 2375) };
  throw new PlimsollError('invalid', `Cannot use the engine address "${address}": use unix:///path or tcp://host:port`);
}

function headersOf(method: EngineRequest['method'], payload: string | undefined): Record<string, string | number> {
  if (payload !== undefined)
    return { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) };
  return method === 'POST' ? { 'Content-Length': 0 } : {};
}
