/** NATS's errors in our words. Pure. */
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import type { ErrorCode } from '../model/error-body.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';

const WRONG_REVISION_CODES: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];

/** `action` is what could not be done: "write plim_task a.b". */
export function natsFailure(error: unknown, action: string): PlimsollError {
  if (error instanceof PlimsollError) return error;
  const code = codeOf(error);
  // It keeps silent about what it cannot store.
  const reason = code === 'timeout' ? 'NATS did not answer in time. Is it frozen, or its disk full?' : messageOf(error);
  return new PlimsollError(code, `Cannot ${action}: ${reason}`, { cause: error });
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof JetStreamApiError && WRONG_REVISION_CODES.includes(error.code)) return 'conflict';
  if (error instanceof errors.TimeoutError) return 'timeout';
  if (error instanceof errors.PermissionViolationError) return 'refused';
  if (error instanceof Error && error.cause instanceof errors.PermissionViolationError) return 'refused';
  return 'unavailable';
}
