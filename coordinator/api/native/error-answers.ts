/** What becomes of errors in answers of the native API. */
import type { ErrorRequestHandler, Express, Response } from 'express';
import type { ErrorBody, ErrorCode } from '../../../model/error-body.ts';
import { messageOf, PlimsollError } from '../../../runtime/errors.ts';
import type { Log } from '../../../runtime/log.ts';
import { ApiError } from '../docker/responses.ts';

const httpStatus: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  precondition: 400,
  refused: 403,
  'not-found': 404,
  conflict: 409,
  internal: 500,
  unsupported: 501,
  unavailable: 503,
  timeout: 504,
};

/** For what no route before it answered. */
export function addErrorAnswers(app: Express, log: Log): void {
  app.use((request, response) => {
    sendError(response, 404, { code: 'not-found', message: `No such page: ${request.method} ${request.path}` });
  });
  const onError: ErrorRequestHandler = (error, request, response, _next) => {
    const code = codeOf(error);
    if (code === 'internal') log.error({ path: request.path, error: messageOf(error) }, 'native API request failed');
    sendError(response, httpStatus[code], { code, message: messageOf(error) });
  };
  app.use(onError);
}

/** What cannot be decoded of a path or read of a body is the asker's doing. */
function codeOf(error: unknown): ErrorCode {
  if (error instanceof PlimsollError) return error.code;
  const isAskersDoing = error instanceof URIError || (error instanceof ApiError && error.status < 500);
  return isAskersDoing ? 'invalid' : 'internal';
}

function sendError(response: Response, status: number, body: ErrorBody): void {
  if (response.headersSent) response.destroy();
  else response.status(status).json(body);
}
