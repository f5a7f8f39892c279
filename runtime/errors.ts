/** Errors with a code for programs, a sentence for people and the cause for the log. */

/** Whose fault it is decides the HTTP status and whether a retry makes sense. */
export type ErrorCode =
  | 'invalid' // the request is wrong: 400
  | 'not-found' // 404
  | 'conflict' // the name is taken, the version is stale: 409
  | 'precondition' // right request, wrong moment: 400 FailedPrecondition
  | 'unsupported' // refused by name: 501
  | 'unavailable' // a part is away, try again: 503
  | 'timeout' // a deadline passed: 504
  | 'refused' // no permission: 403
  | 'internal'; // a bug of ours: 500

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

/** True for the error an aborted wait throws. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}
