/** The little of Prometheus' HTTP API that is asked here. */
import { z } from 'zod';
import { messageOf } from '../../runtime/errors.ts';

export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PrometheusClient {
  /** The series of an instant query; a scalar that is a number is one series. Throws with Prometheus' own words. */
  query(expression: string): Promise<readonly PrometheusSample[]>;
  labelValues(label: string, selector: string | undefined): Promise<string[]>;
}

const Value = z.tuple([z.number(), z.string()]);
const Vector = z.object({
  resultType: z.literal('vector'),
  result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: Value })),
});
const Scalar = z.object({ resultType: z.literal('scalar'), result: Value });
const Result = z.discriminatedUnion('resultType', [Vector, Scalar]);

export function prometheusAt(url: string): PrometheusClient {
  return {
    query: async (expression) => {
      const data = Result.parse(await get(url, 'query', { query: expression }));
      if (data.resultType === 'vector') {
        return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
      }
      const value = Number(data.result[1]);
      return Number.isNaN(value) ? [] : [{ labels: {}, value }];
    },
    labelValues: async (label, selector) => {
      const data = await get(url, `label/${label}/values`, selector === undefined ? {} : { 'match[]': selector });
      return z.array(z.string()).parse(data);
    },
  };
}

const Answer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('success'), data: z.unknown() }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);

async function get(url: string, path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const asked = new URLSearchParams(parameters).toString();
  const response = await fetch(`${url}/api/v1/${path}?${asked}`).catch((error: unknown) => {
    const why = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
    throw new Error(`cannot ask the Prometheus at ${url}: ${why}`, { cause: error });
  });
  const answer = Answer.parse(await response.json());
  if (answer.status === 'error') throw new Error(answer.error);
  return answer.data;
}
