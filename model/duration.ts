/** Durations as Go programs and docker's flags write them: `90s`, `1h30m`, `1.5s`, `250ms`. Pure. */

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;

/** Milliseconds; undefined for what is no duration. */
export function parseDurationMs(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  const parts = [...text.matchAll(PART)].map(([, amount, unit]) => Number(amount) * (unitsMs[unit ?? ''] ?? 0));
  return parts.reduce((sum, partMs) => sum + partMs, 0);
}

/** `1h30m`, `10m`, `1.5s`: the shortest way to write it. */
export function durationText(durationMs: number): string {
  const hours = Math.floor(durationMs / 3_600_000);
  const minutes = Math.floor((durationMs % 3_600_000) / 60_000);
  const seconds = (durationMs % 60_000) / 1_000;
  const parts = [hours ? `${hours}h` : '', minutes ? `${minutes}m` : '', seconds ? `${seconds}s` : ''];
  return parts.join('') || '0s';
}
