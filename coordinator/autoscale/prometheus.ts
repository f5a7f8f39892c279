/** Asking Prometheus for one number (its HTTP API, `/api/v1/query`). It may be down, slow or wrong: that is an answer, too. */
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { QueryAnswer } from './measurement.ts';

const TIMEOUT_MS = 4_000;
/** One number takes a few hundred bytes; a query that answers thousands of series must not fill our memory. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** What it answers is written into records, and shown: no more of it than a sentence. */
const MAX_QUOTED_CHARACTERS = 300;

/** `isFault`: of the query itself; it would be as wrong tomorrow. */
export type PrometheusAnswer = QueryAnswer | { readonly problem: string; readonly isFault: true };

export interface Prometheus {
  /** Never rejects. */
  query(expression: string): Promise<PrometheusAnswer>;
}

/** A sample is its time and its value, the value as text: `NaN` and `+Inf` are values. */
const Sample = z.tuple([z.number(), z.string()]);
const Answer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('scalar'), result: Sample }),
      z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: Sample })) }),
      z.object({ resultType: z.literal('matrix'), result: z.array(z.unknown()) }),
      z.object({ resultType: z.literal('string'), result: z.unknown() }),
    ]),
  }),
  z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() }),
]);
type Answer = z.infer<typeof Answer>;

/** Prometheus at `baseUrl`, which may have a path. */
export function prometheusAt(baseUrl: string, clock: Clock): Prometheus {
  const url = new URL('api/v1/query', baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
  const dispatcher = new Agent({
    connect: { timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  const ask = async (expression: string, signal: AbortSignal): Promise<string> => {
    const { body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ query: expression, timeout: `${TIMEOUT_MS}ms` }).toString(),
      dispatcher,
      signal,
    });
    return body.text();
  };
  const late = () => new PlimsollError('timeout', `it did not answer within ${TIMEOUT_MS / 1_000} s`);
  return {
    query: async (expression) => {
      // One that answers a byte a second would otherwise hold a connection for each time it was asked.
      const asking = new AbortController();
      try {
        return answerOf(await withDeadline(clock, TIMEOUT_MS, ask(expression, asking.signal), late));
      } catch (error) {
        return { problem: `Prometheus at ${url.origin} does not answer: ${messageOf(error)}` };
      } finally {
        asking.abort();
      }
    },
  };
}

/** The number in the text of an answer; a problem for none, several, and what is no number. Pure. */
export function answerOf(text: string): PrometheusAnswer {
  const parsed = Answer.safeParse(jsonOf(text));
  if (!parsed.success) return { problem: 'what answers is not Prometheus, or not one known' };
  const answer = parsed.data;
  if (answer.status === 'success') return numberOf(answer.data);
  const problem = `Prometheus refuses the query: ${quoted(answer.error)}`;
  return answer.errorType === 'bad_data' ? { problem, isFault: true } : { problem };
}

function numberOf(data: Extract<Answer, { status: 'success' }>['data']): PrometheusAnswer {
  if (data.resultType === 'matrix' || data.resultType === 'string') {
    return { problem: `it answers a ${data.resultType}, and must answer one number`, isFault: true };
  }
  if (data.resultType === 'scalar') return finite(data.result[1]);
  const [first, second] = data.result;
  if (first === undefined) return { problem: 'it answers nothing: no series fits' };
  if (second !== undefined) {
    return { problem: `it answers ${data.result.length} series, and must answer one: sum them`, isFault: true };
  }
  return finite(first.value[1]);
}

function finite(text: string): QueryAnswer {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) return { problem: `it answers ${quoted(text) || 'nothing'}` };
  return value < 0 ? { problem: `it answers ${quoted(text)}, and no load is below 0` } : { value };
}

function quoted(text: string): string {
  return text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}...` : text;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is told as not being Prometheus.
    return undefined;
  }
}
