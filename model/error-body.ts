/** How an error crosses a process boundary: on the bus and on the native API. */
import { z } from 'zod';

/** Whose fault it is decides the HTTP status and whether a retry makes sense. */
export const ErrorCode = z.enum([
  'invalid', // the request is wrong: 400
  'not-found', // 404
  'conflict', // the name is taken, the version is stale: 409
  'precondition', // right request, wrong moment: 400 FailedPrecondition
  'unsupported', // refused by name: 501
  'unavailable', // a part is away, try again: 503
  'timeout', // a deadline passed: 504
  'refused', // no permission: 403
  'internal', // a bug of ours: 500
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

export const ErrorBody = z.object({ code: ErrorCode, message: z.string() });
export type ErrorBody = z.infer<typeof ErrorBody>;
