/** Filters of `docker ... prune`: what is old enough and labelled so. Pure. */
import { type Filters, passes, passesLabels } from './filters.ts';
import { ApiError } from './responses.ts';

export const pruneFilterKeys: readonly string[] = ['until', 'label', 'label!'];

/** Throws ApiError 400 for a time that is none. */
export function isPrunable(
  object: { readonly Labels: Readonly<Record<string, string>>; readonly Created: string },
  filters: Filters,
  nowMs: number,
): boolean {
  const createdMs = Date.parse(object.Created);
  const avoided = new Map([['label', filters.get('label!') ?? []]]);
  return (
    passesLabels(filters, 'label', object.Labels) &&
    ((filters.get('label!') ?? []).length === 0 || !passesLabels(avoided, 'label', object.Labels)) &&
    passes(filters, 'until', (text) => createdMs <= timeOf(text, nowMs))
  );
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `24h`, `1h30m`, seconds since 1970 or an RFC 3339 date. */
function timeOf(text: string, nowMs: number): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    return nowMs - parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0);
  }
  const timeMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(timeMs)) throw new ApiError(400, `invalid filter 'until=${text}': give 24h, a date or seconds`);
  return timeMs;
}
