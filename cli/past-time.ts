/** Times as docker's `--since` takes them. Pure. */
import { parseDurationMs } from '../model/duration.ts';

/**
 * Milliseconds since 1970 of an RFC 3339 time, of Unix seconds (with a fraction if need be), or of a duration before `nowMs`
 * (`90s`, `1h30m`). A date or time without a zone is this machine's. Undefined for anything else.
 */
export function parsePastTime(text: string, nowMs: number): number | undefined {
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text)) return undefined;
  const atMs = Date.parse(complete(text));
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** JavaScript wants hours and minutes, and takes a bare date for one in UTC. */
function complete(text: string): string {
  const [date = '', time = '00:00'] = text.split('T');
  return `${date}T${time.replace(/^(\d{2})(?=$|Z|[+-])/, '$1:00')}`;
}
