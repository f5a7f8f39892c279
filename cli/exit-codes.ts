/** What `plim` ends with; part of `plim --help`. */
import type { ErrorCode } from '../model/error-body.ts';
import { PlimsollError } from '../runtime/errors.ts';

export const exitCodes = { ok: 0, failed: 1, usage: 2, unreachable: 3, notFound: 4 } as const;

export const exitCodeHelp = `Exit codes:
  0  done
  1  failed
  2  wrong use: unknown option, missing or malformed argument
  3  the cluster (or a part it needs) cannot be reached, or did not answer in time
  4  no such node, service or task`;

const byError: Partial<Record<ErrorCode, number>> = {
  invalid: exitCodes.usage,
  unavailable: exitCodes.unreachable,
  timeout: exitCodes.unreachable,
  'not-found': exitCodes.notFound,
};

export function exitCodeOf(error: unknown): number {
  return (error instanceof PlimsollError && byError[error.code]) || exitCodes.failed;
}
