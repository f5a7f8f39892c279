/** One call to the Engine API: a deadline, a schema for the reply, and errors that say whose fault it was. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { ErrorCode } from '../../model/error-body.ts';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { isAbort, messageOf, PlimsollError } from '../../runtime/errors.ts';
import { bodyOf, EngineHttp, type EngineRequest, type SentRequest } from './engine-http.ts';

export interface EngineCall extends EngineRequest {
  readonly deadlineMs: number;
  /** Status codes besides 2xx that mean "done already". */
  readonly fineToo?: readonly number[];
  readonly signal?: AbortSignal;
}

const RefusalBody = z.object({ message: z.string() });

export class EngineCalls {
  private readonly http: EngineHttp;
  private readonly clock: Clock;

  /** `address` is unix:///path or tcp://host:port. */
  constructor(address: string, clock: Clock) {
    this.http = new EngineHttp(address);
    this.clock = clock;
  }

  async call<T>(call: EngineCall, reply: z.ZodType<T>): Promise<T> {
    const parsed = reply.safeParse(await this.dial(call, bodyOf));
    if (parsed.success) return parsed.data;
    const why = z.prettifyError(parsed.error);
    throw new PlimsollError('internal', `Cannot understand the engine's answer to ${call.method} ${call.path}: ${why}`);
  }

  /** The deadline covers the wait for the answer's head; the body is the caller's to watch. */
  stream(call: EngineCall): Promise<IncomingMessage> {
    return this.dial(call, async (answer) => answer);
  }

  private async dial<T>(call: EngineCall, read: (answer: IncomingMessage) => Promise<T>): Promise<T> {
    const sent = this.http.send(call);
    const unlink = link(sent, call.signal);
    const answered = sent.answered.then(async (answer) => {
      answer.once('close', unlink);
      await refuseFailure(call, answer);
      return read(answer);
    });
    try {
      return await withDeadline(this.clock, call.deadlineMs, answered, () => tooLate(call));
    } catch (error) {
      unlink();
      sent.giveUp(abortError());
      throw error instanceof PlimsollError ? error : engineError(call, error);
    }
  }
}

/** The signal ends the request, and an answer that is still read, until it is unlinked: signals may outlive many calls. */
function link(sent: SentRequest, signal: AbortSignal | undefined): () => void {
  const onAbort = () => sent.giveUp(abortError());
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => signal?.removeEventListener('abort', onAbort);
}

async function refuseFailure(call: EngineCall, answer: IncomingMessage): Promise<void> {
  const status = answer.statusCode ?? 0;
  if ((status >= 200 && status < 300) || call.fineToo?.includes(status)) return;
  const body = await bodyOf(answer);
  const refusal = RefusalBody.safeParse(body);
  throw new PlimsollError(codeOf(status), (refusal.success ? refusal.data.message : String(body)).trim());
}

function abortError(): Error {
  const error = new Error('The request was given up');
  error.name = 'AbortError';
  return error;
}

function tooLate(call: EngineCall): PlimsollError {
  const seconds = Math.round(call.deadlineMs / 100) / 10;
  return new PlimsollError('timeout', `The engine did not answer ${call.method} ${call.path} within ${seconds} s`);
}

function engineError(call: EngineCall, error: unknown): PlimsollError {
  if (isAbort(error)) return new PlimsollError('timeout', `${call.method} ${call.path} was given up`, { cause: error });
  const words = `Cannot reach the container engine: ${messageOf(error)}; is dockerd running?`;
  return new PlimsollError('unavailable', words, { cause: error });
}

function codeOf(statusCode: number): ErrorCode {
  if (statusCode === 404) return 'not-found';
  if (statusCode === 409) return 'conflict';
  if (statusCode === 503) return 'unavailable';
  return statusCode < 500 ? 'invalid' : 'internal';
}
