/** What only root may do on a host. */
import { PlimsollError } from '../runtime/errors.ts';

/** Throws `refused` for an ordinary user; `what` completes "Cannot ... as an ordinary user". */
export function requireRoot(what: string): void {
  if (process.getuid?.() !== 0) throw needsRoot(what);
}

export function needsRoot(what: string, cause?: unknown): PlimsollError {
  return new PlimsollError('refused', `Cannot ${what} as an ordinary user: it needs root. Use sudo`, { cause });
}
