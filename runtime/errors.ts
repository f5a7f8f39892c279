/** Errors with a code for programs, a sentence for people and the cause for the log. */
import type { ErrorCode } from '../model/error-body.ts';

export class PlimsollError extends Error {
  override readonly name = 'PlimsollError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True for a write or a wish that came too late: what it was made from has changed. */
export function isConflict(error: unknown): error is PlimsollError {
  return error instanceof PlimsollError && error.code === 'conflict';
}

/** True for the error an aborted wait throws. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}
