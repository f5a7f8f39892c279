/** Ways a wish fails that callers tell apart; everything else is a PlimsollError by code. */
import { PlimsollError } from '../../runtime/errors.ts';

/** The caller's version is not the stored one any more: read again, decide again. Swarm's own words. */
export class StaleVersionError extends PlimsollError {
  constructor() {
    super('conflict', 'update out of sequence');
  }
}

export const invalid = (message: string): PlimsollError => new PlimsollError('invalid', message);

export const notFound = (
  kind: 'service' | 'node' | 'task' | 'network' | 'secret' | 'config' | 'volume',
  reference: string,
): PlimsollError => new PlimsollError('not-found', `${kind} ${reference} not found`);

/** A part of a specification we cannot honour: refused by name before anything is written. */
export const unsupported = (what: string, field: string): PlimsollError =>
  new PlimsollError('unsupported', `Plimsoll does not support ${what} yet (${field})`);

/** After a write that got no answer nobody knows: what was claimed for it must stay claimed. */
export function mayHaveBeenWritten(error: unknown): boolean {
  return error instanceof PlimsollError && (error.code === 'timeout' || error.code === 'unavailable');
}
