/** Whether numbers read between two readings of a reference agree with it: no luck with timing needed. Pure. */

/** `exact`: the same as before and after. `counter`: between them. `gauge`: between them, give or take. */
export type Agreement =
  | { readonly kind: 'exact' }
  | { readonly kind: 'counter'; readonly slack?: number }
  | { readonly kind: 'gauge'; readonly share: number; readonly slack?: number };

export interface Readings {
  readonly before: ReadonlyMap<string, number>;
  readonly ours: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
}

/** The same number of nanoseconds may be 0.011944 or 0.011944000000000001 s. */
const ROUNDING = 1e-9;

/** What is wrong with the series whose names begin like this, and how many were compared. Devices may come and go. */
export function compareSeries(prefix: string, agreement: Agreement, { before, ours, after }: Readings) {
  const keys = [...before.keys()].filter((key) => key.startsWith(`${prefix}{`) && after.has(key));
  const wrong = keys.flatMap((key) => {
    const range = rangeOf(agreement, before.get(key) ?? NaN, after.get(key) ?? NaN);
    const value = ours.get(key);
    if (value !== undefined && value >= range.low && value <= range.high) return [];
    return [`${key}: ${value ?? 'missing'}, wanted ${range.low} to ${range.high}`];
  });
  return { compared: keys.length, wrong };
}

function rangeOf(agreement: Agreement, before: number, after: number): { low: number; high: number } {
  const [low, high] = [Math.min(before, after), Math.max(before, after)];
  if (agreement.kind === 'exact') return { low: high, high: low };
  const slack = agreement.slack ?? 0;
  const share = agreement.kind === 'gauge' ? agreement.share : ROUNDING;
  return { low: low - Math.abs(low) * share - slack, high: high + Math.abs(high) * share + slack };
}
