/** How many messages wait for a consumer of JetStream, as a NATS server's monitoring port tells (`/jsz`). It may be down or wrong. */
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { QueryAnswer } from './measurement.ts';

const TIMEOUT_MS = 4_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export interface Queue {
  readonly stream: string;
  readonly consumer: string;
}

export interface Queues {
  /** Messages not delivered, or delivered and not acknowledged. Never rejects. */
  lag(queue: Queue): Promise<QueryAnswer>;
}

const Count = z.int().min(0);
const Consumer = z.object({ name: z.string(), num_pending: Count, num_ack_pending: Count });
const Stream = z.object({ name: z.string(), consumer_detail: z.array(Consumer).nullish() });
const Account = z.object({ stream_detail: z.array(Stream).nullish() });
const Answer = z.object({ account_details: z.array(Account).nullish() });

/** The server whose monitoring port is at `baseUrl`. */
export function queuesAt(baseUrl: string, clock: Clock): Queues {
  const url = new URL('jsz?consumers=true', baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
  const dispatcher = new Agent({
    connect: { timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  const ask = async (signal: AbortSignal): Promise<string> => (await request(url, { dispatcher, signal })).body.text();
  const late = () => new PlimsollError('timeout', `it did not answer within ${TIMEOUT_MS / 1_000} s`);
  return {
    lag: async (queue) => {
      const asking = new AbortController();
      try {
        return lagIn(await withDeadline(clock, TIMEOUT_MS, ask(asking.signal), late), queue);
      } catch (error) {
        return { problem: `NATS' monitoring at ${url.origin} does not answer: ${messageOf(error)}` };
      } finally {
        asking.abort();
      }
    },
  };
}

/** The lag in the text of an answer; a problem where the consumer is not there, or in several accounts. Pure. */
export function lagIn(text: string, { stream, consumer }: Queue): QueryAnswer {
  const parsed = Answer.safeParse(jsonOf(text));
  if (!parsed.success) return { problem: "what answers is not NATS' monitoring, or not one known" };
  const streams = (parsed.data.account_details ?? []).flatMap((account) => account.stream_detail ?? []);
  const named = streams.filter(({ name }) => name === stream).flatMap((each) => each.consumer_detail ?? []);
  const [found, second] = named.filter(({ name }) => name === consumer);
  if (found === undefined) return { problem: `NATS has no consumer ${consumer} of a stream ${stream}` };
  if (second !== undefined)
    return { problem: `several accounts of NATS have a consumer ${consumer} of a stream ${stream}` };
  return { value: found.num_pending + found.num_ack_pending };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is told as not being NATS.
    return undefined;
  }
}
