/** What several connections of one process get is checked once for all of them, and frozen: nobody may change what others read. */
import type { z } from 'zod';
import { type Reader, type Reading, reader } from '../../../bus/reader.ts';

/** A message that remembers how it was read last. */
interface Remembering {
  lastReading?: { readonly schema: unknown; readonly reading: Reading<unknown> };
}

export const sharedReader: Reader = {
  message: (schema, message) => readOnce(message, schema, () => reader.message(schema, message)),
  record: (schema, stored) => readOnce(stored, schema, () => reader.record(schema, stored)),
};

function readOnce<T>(message: object, schema: z.ZodType<T>, read: () => Reading<T>): Reading<T> {
  const source: Remembering = message;
  if (source.lastReading?.schema === schema) return source.lastReading.reading as Reading<T>;
  const reading = frozen(read());
  source.lastReading = { schema, reading };
  return reading;
}

function frozen<T>(reading: Reading<T>): Reading<T> {
  if ('value' in reading) freeze(reading.value);
  return reading;
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
