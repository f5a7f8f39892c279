/** Query parameters as Go's clients write them. */
import type { Request } from 'express';
import { ApiError } from './responses.ts';

/** The first value of a parameter; undefined when absent. */
export function queryText(req: Request, name: string): string | undefined {
  const value = req.query[name];
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}

/** Docker's truth: anything but empty, 0, no, false, none. */
export function queryFlag(req: Request, name: string): boolean {
  return !['', '0', 'no', 'false', 'none'].includes((queryText(req, name) ?? '').trim().toLowerCase());
}

/** The `version` of an update; `kind` is for the text. */
export function queryVersion(req: Request, kind: string): number {
  const text = queryText(req, 'version') ?? '';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const invalid = `invalid ${kind} version '${text}': strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new ApiError(400, invalid);
}

/** A part of the path; express has decoded it. */
export function pathPart(req: Request, name: string): string {
  const value = req.params[name];
  return Array.isArray(value) ? value.join('/') : (value ?? '');
}

/** Seconds since 1970 with an optional fraction, or an RFC 3339 date; undefined when absent. */
export function queryTimeSeconds(req: Request, name: string): number | undefined {
  const text = queryText(req, name);
  if (text === undefined || text === '') return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (Number.isNaN(seconds))
    throw new ApiError(400, `invalid ${name} '${text}': give seconds since 1970 or an RFC 3339 date`);
  return seconds;
}
