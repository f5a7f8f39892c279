/** What becomes of a service's count of replicas: loads, bounds, pace, and what stands in the way. Pure. */
import { durationText } from '../../model/duration.ts';
import type { LoadReading, ScaleCondition } from '../../model/scale-record.ts';
import { noHistory, paced, rememberChange, rememberWanted, type ScaleHistory, stabilised } from './pace.ts';
import type { AutoscalePolicy } from './policy.ts';

export interface Situation {
  readonly policy: AutoscalePolicy;
  /** Replicas wanted now. */
  readonly current: number;
  readonly readings: readonly LoadReading[];
  /** How long a count set by hand still stands; Infinity for a service somebody scaled to 0. */
  readonly heldForMs: number;
  readonly isUpdating: boolean;
  /** The alert that says the count is to stay; undefined while none does. */
  readonly frozenBy?: string | undefined;
  /** Why a replica has no node; undefined when all have. */
  readonly noRoom: string | undefined;
}

export interface Decision {
  readonly replicas: number;
  readonly condition: ScaleCondition;
  /** Sentence for people. */
  readonly reason: string;
  /** What the load asks for before bounds and pace; undefined while it cannot be told. */
  readonly wanted: number | undefined;
}

export interface Decided {
  readonly decision: Decision;
  readonly history: ScaleHistory;
}

/** `nowMs` is on the elapsed clock, as the history's times. */
export function decide(situation: Situation, history: ScaleHistory, nowMs: number): Decided {
  const { policy, current, heldForMs } = situation;
  if (heldForMs > 0) return { decision: held(current, heldForMs), history: noHistory };
  const load = loadOf(situation);
  const bounded = Math.min(Math.max(load.wanted, policy.min), policy.max);
  const known = rememberWanted(history, { current, wanted: bounded }, policy, nowMs);
  const verdict = follow(situation, { ...load, bounded }, known, nowMs);
  const { replicas } = verdict;
  const isChange = replicas !== current && policy.mode === 'on';
  const changed = !isChange ? known : rememberChange(known, replicas - current, policy, nowMs);
  const wanted = load.isBlind ? undefined : load.wanted;
  return { decision: { ...verdict, wanted }, history: changed };
}

interface Load {
  readonly wanted: number;
  readonly words: string;
  /** True when nothing can be told of the load, or not enough to take replicas away. */
  readonly isBlind: boolean;
}

/** The highest of several counts; while one of them is not known, none may be taken away. */
function loadOf({ readings, current }: Situation): Load {
  const silent = readings.filter(({ wanted }) => wanted === undefined);
  const [highest] = readings.filter(isTold).sort((a, b) => b.wanted - a.wanted);
  const isHeld = silent.length > 0 && (highest === undefined || highest.wanted < current);
  if (isHeld || highest === undefined) {
    return { wanted: current, words: silent.map(({ words }) => words).join('; '), isBlind: true };
  }
  return { wanted: highest.wanted, words: highest.words, isBlind: false };
}

function isTold(reading: LoadReading): reading is LoadReading & { wanted: number } {
  return reading.wanted !== undefined;
}

type Verdict = Omit<Decision, 'wanted'>;

function follow(
  situation: Situation,
  load: Load & { readonly bounded: number },
  history: ScaleHistory,
  nowMs: number,
): Verdict {
  const { policy, current } = situation;
  // As in Kubernetes a count out of bounds is mended first, at no pace.
  if (current > policy.max)
    return out(policy.max, 'at-max', `there were ${current}, more than the ${policy.max} allowed`);
  if (current < policy.min)
    return out(policy.min, 'at-min', `there were ${current}, fewer than the ${policy.min} wanted`);
  if (situation.frozenBy !== undefined) return out(current, 'frozen', `alert ${situation.frozenBy} freezes the count`);
  if (load.isBlind) return out(current, 'blind', `${load.words}: nothing is changed`);
  const wish = `${load.words}: ${replicasText(load.wanted)} wanted`;
  const steady = stabilised(history, current, policy, nowMs);
  if (steady < current && situation.isUpdating)
    return out(current, 'frozen', `${wish}; none is taken away during an update`);
  if (steady > current && situation.noRoom !== undefined) {
    return out(current, 'no-room', `${wish}; no more are asked for while some have no node: ${situation.noRoom}`);
  }
  const replicas = paced(history, { current, wanted: steady }, policy, nowMs);
  return { replicas, ...limitOf({ ...load, steady, replicas }, policy, wish) };
}

/** What is asked for, what of it the bounds, the windows, and steps and cool-downs leave. */
interface Narrowed {
  readonly wanted: number;
  readonly bounded: number;
  readonly steady: number;
  readonly replicas: number;
}

/** Why the load does not get just what it asks for. */
function limitOf(
  { wanted, bounded, steady, replicas }: Narrowed,
  { min, max, up, down }: AutoscalePolicy,
  wish: string,
): Pick<Verdict, 'condition' | 'reason'> {
  const pacing = (why: string) => ({ condition: 'pacing' as const, reason: `${wish}; ${why}` });
  if (replicas > steady) return pacing('steps or the cool-down allow no fewer yet');
  if (replicas < steady) return pacing('steps or the cool-down allow no more yet');
  if (steady > bounded)
    return pacing(`kept at ${steady}, the highest count wanted within ${durationText(down.windowMs)}`);
  if (steady < bounded) return pacing(`kept at ${steady}, the lowest count wanted within ${durationText(up.windowMs)}`);
  if (wanted > max) return { condition: 'at-max', reason: `${wish}; ${max} are the most allowed` };
  if (wanted < min) return { condition: 'at-min', reason: `${wish}; ${min} are the least allowed` };
  return { condition: 'following', reason: wish };
}

function held(current: number, heldForMs: number): Decision {
  const until = Number.isFinite(heldForMs)
    ? `left alone for ${durationText(Math.ceil(heldForMs / 1_000) * 1_000)}`
    : 'off until it is scaled up';
  return { replicas: current, condition: 'held', reason: `scaled to ${current} by hand: ${until}`, wanted: undefined };
}

function out(replicas: number, condition: ScaleCondition, reason: string): Verdict {
  return { replicas, condition, reason };
}

function replicasText(count: number): string {
  return count === 1 ? '1 replica' : `${count} replicas`;
}
