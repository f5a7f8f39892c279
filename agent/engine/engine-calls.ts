/** One call to the Engine API: a deadline, a schema for the reply, and errors that say whose fault it was. */
import type { IncomingMessage } from 'node:http';
import Docker from 'dockerode';
import { z } from 'zod';
import type { ErrorCode } from '../../model/error-body.ts';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { isAbort, messageOf, PlimsollError } from '../../runtime/errors.ts';

export interface EngineCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly deadlineMs: number;
  /** Status codes besides 2xx that mean "done already". */
  readonly fineToo?: readonly number[];
  readonly signal?: AbortSignal;
}

/** What docker-modem throws for an answer with a status of 400 and more. */
const Refusal = z.object({ statusCode: z.int(), json: z.unknown() });
/** What docker-modem puts before the engine's words where it does not parse them: on calls that stream. */
const MODEM_PREFIX = /^\(HTTP code \d+\) .*? - /;
const RefusalBody = z.object({ message: z.string() });

export class EngineCalls {
  private readonly modem: Docker['modem'];
  private readonly clock: Clock;

  /** `address` is unix:///path or tcp://host:port. */
  constructor(address: string, clock: Clock) {
    this.modem = new Docker(connectionOf(address)).modem;
    this.clock = clock;
  }

  async call<T>(call: EngineCall, reply: z.ZodType<T>): Promise<T> {
    const answer = await this.dial(call, false);
    const parsed = reply.safeParse(answer);
    if (parsed.success) return parsed.data;
    const why = z.prettifyError(parsed.error);
    throw new PlimsollError('internal', `Cannot understand the engine's answer to ${call.method} ${call.path}: ${why}`);
  }

  /** The deadline covers the wait for the answer's head; the body is the caller's to watch. */
  async stream(call: EngineCall): Promise<IncomingMessage> {
    return (await this.dial(call, true)) as IncomingMessage;
  }

  private async dial(call: EngineCall, isStream: boolean): Promise<unknown> {
    const controller = new AbortController();
    const signal = call.signal ? AbortSignal.any([call.signal, controller.signal]) : controller.signal;
    try {
      return await withDeadline(this.clock, call.deadlineMs, this.send(call, isStream, signal), () => tooLate(call));
    } catch (error) {
      controller.abort();
      throw error instanceof PlimsollError ? error : engineError(call, error);
    }
  }

  private send(call: EngineCall, isStream: boolean, signal: AbortSignal): Promise<unknown> {
    const fine = [200, 201, 204, ...(call.fineToo ?? [])];
    const hasQuery = Object.keys(call.query ?? {}).length > 0;
    const dialled = {
      path: hasQuery ? `${call.path}?` : call.path,
      method: call.method,
      options: { ...(hasQuery && { _query: call.query }), ...(call.body && { _body: call.body }) },
      isStream,
      abortSignal: signal,
      statusCodes: Object.fromEntries(fine.map((status) => [status, true])),
    };
    return new Promise((resolve, reject) => {
      this.modem.dial(dialled, (error: unknown, answer: unknown) => (error ? reject(error) : resolve(answer)));
    });
  }
}

function connectionOf(address: string): Docker.DockerOptions {
  const url = new URL(address);
  if (url.protocol === 'unix:') return { socketPath: url.pathname };
  if (url.protocol === 'tcp:') return { protocol: 'http', host: url.hostname, port: Number(url.port || 2375) };
  throw new PlimsollError('invalid', `Cannot use the engine address "${address}": use unix:///path or tcp://host:port`);
}

function tooLate(call: EngineCall): PlimsollError {
  const seconds = Math.round(call.deadlineMs / 100) / 10;
  return new PlimsollError('timeout', `The engine did not answer ${call.method} ${call.path} within ${seconds} s`);
}

function engineError(call: EngineCall, error: unknown): PlimsollError {
  const refusal = Refusal.safeParse(error);
  if (refusal.success) return new PlimsollError(codeOf(refusal.data.statusCode), wordsOf(refusal.data.json, error));
  if (isAbort(error)) return new PlimsollError('timeout', `${call.method} ${call.path} was given up`, { cause: error });
  const words = `Cannot reach the container engine: ${messageOf(error)}; is dockerd running?`;
  return new PlimsollError('unavailable', words, { cause: error });
}

function wordsOf(json: unknown, error: unknown): string {
  const body = RefusalBody.safeParse(json);
  return (body.success ? body.data.message : messageOf(error).replace(MODEM_PREFIX, '')).trim();
}

function codeOf(statusCode: number): ErrorCode {
  if (statusCode === 404) return 'not-found';
  if (statusCode === 409) return 'conflict';
  if (statusCode === 503) return 'unavailable';
  return statusCode < 500 ? 'invalid' : 'internal';
}
