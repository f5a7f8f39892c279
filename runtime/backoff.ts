/** How long to wait after failures in a row. */

export interface BackoffRule {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Doubles from `firstMs` with each failure up to `maxMs`; 0 for no failures. */
export function backoffMs(rule: BackoffRule, failures: number): number {
  if (failures <= 0) return 0;
  return Math.min(rule.maxMs, rule.firstMs * 2 ** Math.min(failures - 1, 30));
}
