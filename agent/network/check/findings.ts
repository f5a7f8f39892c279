/** How findings are worded into records. Pure. */
import type { CheckFinding } from '../../../model/network-check.ts';

type Step = CheckFinding['step'];

export function fine(step: Step, says: string): CheckFinding {
  return { step, ok: true, says };
}

export function broken(step: Step, says: string, advice: string): CheckFinding {
  return { step, ok: false, says, advice };
}
