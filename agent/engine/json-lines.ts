/** JSON objects out of a stream of bytes, one per line: how Docker sends events and pull progress. */
import type { Readable } from 'node:stream';
import type { z } from 'zod';

/** Every line of the stream that fits the schema; lines that do not are skipped. */
export async function* jsonLines<T>(stream: Readable, schema: z.ZodType<T>): AsyncGenerator<T> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const parsed = schema.safeParse(parseJson(line));
      if (parsed.success) yield parsed.data;
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
