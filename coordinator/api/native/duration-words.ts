/** A duration for people: "850 ms", "12 s", "3 min", "2 h". Pure. */
export function durationWords(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.max(0, Math.round(durationMs))} ms`;
  if (durationMs < 120_000) return `${Math.round(durationMs / 1_000)} s`;
  if (durationMs < 7_200_000) return `${Math.round(durationMs / 60_000)} min`;
  return `${Math.round(durationMs / 3_600_000)} h`;
}
