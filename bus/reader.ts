/** Makes values of what others wrote: JSON, checked by a schema. */
import { z } from 'zod';
import { messageOf } from '../runtime/errors.ts';
import { decodeJson } from './envelope.ts';
import type { StoredMessage } from './raw-bucket.ts';
import type { WireMessage } from './wire.ts';

/** The value, or why there is none. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

/** Tests give another one, which reads once what many connections of one process get. */
export interface Reader {
  message<T>(schema: z.ZodType<T>, message: WireMessage): Reading<T>;
  record<T>(schema: z.ZodType<T>, stored: StoredMessage): Reading<T>;
}

export const reader: Reader = {
  message(schema, { data }) {
    try {
      const parsed = schema.safeParse(decodeJson(data));
      return parsed.success ? { value: parsed.data } : { problem: z.prettifyError(parsed.error) };
    } catch (error) {
      return { problem: messageOf(error) };
    }
  },
  record(schema, { data }) {
    try {
      const parsed = schema.safeParse(JSON.parse(data));
      if (parsed.success) return { value: parsed.data };
      return { problem: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') };
    } catch (error) {
      return { problem: messageOf(error) };
    }
  },
};
