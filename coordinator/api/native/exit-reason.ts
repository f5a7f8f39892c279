/** Why an attempt ended, for people. Pure. */
import type { ExitRecord } from '../../../model/status-record.ts';

/** The sentence about a failure has the exit code in it. */
export function exitReason({ oomKilled, error, exitCode }: ExitRecord): string {
  const reason = error || `exit code ${exitCode}`;
  return oomKilled ? `killed by the kernel: out of memory; ${reason}` : reason;
}
