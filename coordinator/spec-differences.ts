/** What differs between two specifications, field by field. Pure. */
import { isDeepStrictEqual } from 'node:util';

/** Longer values say more than a line can. */
const MAX_VALUE_LENGTH = 60;

/** `path: before -> after` for every value that differs; lists are compared as a whole. */
export function differences(path: string, before: unknown, after: unknown): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [`${path}: ${words(before)} -> ${words(after)}`];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => differences(path === '' ? key : `${path}.${key}`, before[key], after[key]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function words(value: unknown): string {
  if (value === undefined) return '(not set)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}...` : text;
}
