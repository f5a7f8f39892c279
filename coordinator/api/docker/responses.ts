/** Answers as Docker's clients need them: the Content-Type of errors must be exactly `application/json`. */
import type { ErrorRequestHandler, Response } from 'express';
import type { ErrorCode } from '../../../model/error-body.ts';
import { messageOf, PlimsollError } from '../../../runtime/errors.ts';
import type { Log } from '../../../runtime/log.ts';
import { StaleVersionError } from '../../wishes/errors.ts';

/** An error with the status and the text the Engine API has for it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function sendJson(res: Response, status: number, body: unknown): void {
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json');
  res.end(`${JSON.stringify(body)}\n`);
}

export function sendEmpty(res: Response, status: number): void {
  res.statusCode = status;
  res.end();
}

/** Swarm's managers answer over gRPC, and its clients see that in the text. */
const answers: Readonly<Record<ErrorCode, { status: number; prefix: string }>> = {
  invalid: { status: 400, prefix: 'rpc error: code = InvalidArgument desc = ' },
  'not-found': { status: 404, prefix: '' },
  conflict: { status: 409, prefix: 'rpc error: code = AlreadyExists desc = ' },
  precondition: { status: 400, prefix: 'rpc error: code = FailedPrecondition desc = ' },
  unsupported: { status: 501, prefix: 'rpc error: code = Unimplemented desc = ' },
  unavailable: { status: 503, prefix: '' },
  timeout: { status: 504, prefix: '' },
  refused: { status: 403, prefix: '' },
  internal: { status: 500, prefix: '' },
};

/** Pure: what a thrown thing looks like to a client. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof StaleVersionError) return new ApiError(500, `rpc error: code = Unknown desc = ${error.message}`);
  if (error instanceof URIError) return new ApiError(400, 'the path is not valid percent-encoding');
  if (!(error instanceof PlimsollError)) return new ApiError(500, messageOf(error));
  const { status, prefix } = answers[error.code];
  return new ApiError(status, prefix + error.message);
}

/** The last middleware: every thrown thing becomes an answer; what is our fault is logged too. */
export function answerErrors(log: Log): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const { status, message } = toApiError(error);
    if (status >= 500 && !(error instanceof PlimsollError || error instanceof ApiError)) {
      log.error({ method: req.method, path: req.path, error: messageOf(error), stack: error?.stack }, 'request failed');
    }
    if (res.headersSent) res.destroy();
    else sendJson(res, status, { message });
  };
}
