/** Passes requests of coordinators on to this node's engine: those of the virtual engine, no others, byte for byte. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { EngineSessionHead, EngineSessionRequest } from '../../model/engine-session.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { engineTarget } from './engine-http.ts';

/** What may be asked of the engine this way; making containers, networks and volumes is the agent's own business. */
const passable: readonly RegExp[] = [
  /^GET \/containers\/[^/]+\/(json|top|logs|changes|export|archive)$/,
  /^(HEAD|PUT) \/containers\/[^/]+\/archive$/,
  /^POST \/containers\/[^/]+\/(start|stop|restart|kill|pause|unpause|wait|attach|resize|exec)$/,
  /^DELETE \/containers\/[^/]+$/,
  /^POST \/exec\/[^/]+\/(start|resize)$/,
  /^GET \/exec\/[^/]+\/json$/,
  /^GET \/images\/(json|get)$/,
  /^GET \/images\/[^?]+\/(json|history|get)$/,
  /^POST \/images\/(load|create)$/,
  /^POST \/images\/[^?]+\/tag$/,
  /^DELETE \/images\/[^?]+$/,
  /^GET \/volumes(\/[^/]+)?$/,
  /^DELETE \/volumes\/[^/]+$/,
];

export interface EnginePassage {
  /** The head, then the answer's bytes. Throws `refused`, or `unavailable` when the engine does not answer. */
  open(request: EngineSessionRequest, input: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export class DockerPassage implements EnginePassage {
  private readonly target: ReturnType<typeof engineTarget>;

  /** `address` is unix:///path or tcp://host:port. */
  constructor(address: string) {
    this.target = engineTarget(address);
  }

  async *open(
    request: EngineSessionRequest,
    input: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    refuseImpassable(request);
    const sent = this.send(request, signal);
    const answered = answerOf(sent);
    if (request.input === 'body') void sendAll(input, sent);
    else sent.end(request.body);
    const { head, output, toProcess } = await answered.catch((error: unknown) => {
      throw engineAway(request, error);
    });
    if (toProcess !== undefined) void sendAll(input, toProcess);
    // An upgraded connection is no longer the request's: aborting that would not end it.
    const leave = () => output.destroy();
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      yield Buffer.from(JSON.stringify(head));
      for await (const chunk of output) yield chunk;
    } finally {
      signal.removeEventListener('abort', leave);
      sent.destroy();
      output.destroy();
    }
  }

  private send(request: EngineSessionRequest, signal: AbortSignal): ClientRequest {
    const { method, path, query, contentType, body, registryAuth } = request;
    return httpRequest({
      ...this.target,
      agent: false,
      method,
      path: query === '' ? path : `${path}?${query}`,
      signal,
      headers: {
        ...(request.input === 'upgrade' && { Connection: 'Upgrade', Upgrade: 'tcp' }),
        ...(request.input !== 'body' && method === 'POST' && { 'Content-Length': Buffer.byteLength(body ?? '') }),
        ...(contentType !== undefined && { 'Content-Type': contentType }),
        ...(registryAuth !== undefined && { 'X-Registry-Auth': registryAuth }),
      },
    });
  }
}

/** By the path as the engine will read it: what stands behind a question mark is no part of it. */
function refuseImpassable({ method, path }: EngineSessionRequest): void {
  const isPlain = !/[?#]|\/\.\.(\/|$)/.test(path);
  if (isPlain && passable.some((pattern) => pattern.test(`${method} ${path}`))) return;
  throw new PlimsollError('refused', `An agent does not pass ${method} ${path} on to its engine`);
}

interface PassedAnswer {
  readonly head: EngineSessionHead;
  readonly output: Readable;
  /** Where input goes, when the connection was upgraded. */
  readonly toProcess: Writable | undefined;
}

function answerOf(sent: ClientRequest): Promise<PassedAnswer> {
  return new Promise((resolve, reject) => {
    // Stays: what a connection says after its answer began is told by the answer's own stream.
    sent.on('error', reject);
    sent.once('response', (answer) => resolve({ head: headOf(answer, false), output: answer, toProcess: undefined }));
    sent.once('upgrade', (answer, socket, first) => {
      // Whoever reads or writes it is told; until somebody does, an error must not end the agent.
      socket.on('error', () => undefined);
      if (first.length > 0) socket.unshift(first);
      resolve({ head: headOf(answer, true), output: socket, toProcess: socket });
    });
  });
}

function headOf({ statusCode, headers }: IncomingMessage, upgraded: boolean): EngineSessionHead {
  const pathStat = headers['x-docker-container-path-stat'];
  return {
    status: statusCode ?? 500,
    upgraded,
    ...(headers['content-type'] !== undefined && { contentType: headers['content-type'] }),
    ...(typeof pathStat === 'string' && { pathStat }),
  };
}

/** An input that breaks off breaks the request off too; a request that broke off needs no more input. */
async function sendAll(input: AsyncIterable<Uint8Array>, target: Writable): Promise<void> {
  try {
    for await (const bytes of input) {
      if (target.destroyed) return;
      if (!target.write(bytes)) await drainedOrClosed(target);
    }
    target.end();
  } catch {
    target.destroy();
  }
}

function drainedOrClosed(target: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      target.off('drain', settle).off('close', settle);
      resolve();
    };
    target.once('drain', settle).once('close', settle);
  });
}

function engineAway({ method, path }: EngineSessionRequest, error: unknown): PlimsollError {
  const words = `The engine of this node did not answer ${method} ${path}: ${messageOf(error)}`;
  return new PlimsollError('unavailable', words, { cause: error });
}
