/** How fast a service may follow its load: windows, steps and cool-downs, as HPA v2's `behavior` has them. Pure. */
import type { AutoscalePolicy, Pace, StepLimit } from './policy.ts';

/** What a leader remembers of a service; times on the elapsed clock, oldest first. */
export interface ScaleHistory {
  readonly wanted: readonly { readonly atMs: number; readonly replicas: number }[];
  /** How many replicas were added (or, below 0, taken away). */
  readonly changes: readonly { readonly atMs: number; readonly by: number }[];
}

export const noHistory: ScaleHistory = { wanted: [], changes: [] };

/**
 * The history with what is asked for now. A leader that knows nothing yet begins with what there is, so that a change of
 * hands never takes replicas away early.
 */
export function rememberWanted(
  history: ScaleHistory,
  { current, wanted }: { readonly current: number; readonly wanted: number },
  policy: AutoscalePolicy,
  nowMs: number,
): ScaleHistory {
  const oldestMs = nowMs - Math.max(policy.up.windowMs, policy.down.windowMs);
  const seeded = history.wanted.length === 0 ? [{ atMs: nowMs, replicas: current }] : history.wanted;
  const kept = seeded.filter(({ atMs }) => atMs >= oldestMs);
  return { wanted: [...kept, { atMs: nowMs, replicas: wanted }], changes: history.changes };
}

export function rememberChange(
  history: ScaleHistory,
  by: number,
  { up, down }: AutoscalePolicy,
  nowMs: number,
): ScaleHistory {
  const longestMs = Math.max(...[up, down].flatMap(({ steps, coolDownMs }) => [coolDownMs, ...steps.map(periodOf)]));
  const kept = history.changes.filter(({ atMs }) => atMs >= nowMs - longestMs);
  return { wanted: history.wanted, changes: [...kept, { atMs: nowMs, by }] };
}

/** The count nearest to the present one that the windows hold; the last of `wanted` is the newest. */
export function stabilised(history: ScaleHistory, current: number, policy: AutoscalePolicy, nowMs: number): number {
  const newest = history.wanted.at(-1)?.replicas ?? current;
  const within = (windowMs: number) =>
    history.wanted.filter(({ atMs }) => atMs > nowMs - windowMs).map(({ replicas }) => replicas);
  const least = Math.min(newest, ...within(policy.up.windowMs));
  const most = Math.max(newest, ...within(policy.down.windowMs));
  return Math.min(Math.max(current, least), most);
}

/** `wanted`, as far as steps and cool-downs let it be reached now. */
export function paced(
  history: ScaleHistory,
  { current, wanted }: { readonly current: number; readonly wanted: number },
  policy: AutoscalePolicy,
  nowMs: number,
): number {
  if (wanted === current) return current;
  const pace = wanted > current ? policy.up : policy.down;
  if (isCoolingDown(history, wanted > current, pace, nowMs)) return current;
  if (wanted > current) {
    const most = Math.max(
      ...pace.steps.map((step) => Math.ceil(after(step, startOf(step, history, current, nowMs), 1))),
    );
    return Math.max(current, Math.min(wanted, most));
  }
  const least = Math.min(
    ...pace.steps.map((step) => Math.floor(after(step, startOf(step, history, current, nowMs), -1))),
  );
  return Math.min(current, Math.max(wanted, least));
}

function isCoolingDown({ changes }: ScaleHistory, isUp: boolean, { coolDownMs }: Pace, nowMs: number): boolean {
  return changes.some(({ atMs, by }) => by > 0 === isUp && nowMs - atMs < coolDownMs);
}

/** How many there were when a step's period began. */
function startOf(step: StepLimit, { changes }: ScaleHistory, current: number, nowMs: number): number {
  const since = changes.filter(({ atMs }) => nowMs - atMs < step.periodMs);
  return since.reduce((count, { by }) => count - by, current);
}

function after({ kind, amount }: StepLimit, count: number, sign: 1 | -1): number {
  return kind === 'replicas' ? count + sign * amount : count * (1 + (sign * amount) / 100);
}

function periodOf({ periodMs }: StepLimit): number {
  return periodMs;
}
