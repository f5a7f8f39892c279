/** How many replicas a load asks for, as Kubernetes' replica calculator counts them (replica_calculator.go). Pure. */
import type { LoadReading } from '../../model/scale-record.ts';
import type { LoadTarget } from './policy.ts';

/** A replica the service should have; one that is missing altogether is one that was never ready. */
export interface Replica {
  /** How long it has been ready; undefined for one that is not. */
  readonly readyForMs: number | undefined;
  /** Cores, bytes, and new connections a second; undefined where nothing fresh was heard. */
  readonly cpu?: number | undefined;
  readonly memory?: number | undefined;
  readonly connections?: number | undefined;
}

export interface Crew {
  /** Replicas wanted now, there or not. */
  readonly wanted: number;
  readonly replicas: readonly Replica[];
  readonly warmUpMs: number;
  readonly tolerance: number;
}

/** What Prometheus answered: a number, or why there is none. */
export type QueryAnswer = { readonly value: number } | { readonly problem: string };

type UsageTarget = Extract<LoadTarget, { source: 'cpu' | 'memory' | 'connections' }>;
type QueryTarget = Extract<LoadTarget, { source: 'query' }>;
type QueueTarget = Extract<LoadTarget, { source: 'nats' }>;

/** Rounding errors must not cost a replica. */
const ROUNDING = 1e-9;

/**
 * By what replicas use of what they reserve, or get of connections. Those that say nothing count as fully used when the load is below its target
 * and as unused when it is above: neither may make a change larger. Unlike in Kubernetes that holds for replicas that warm
 * up as well, below the target: what the others shed to them must not be taken for a load that has gone.
 */
export function measureUsage(target: UsageTarget, crew: Crew): LoadReading {
  const { source } = target;
  const shown = shownTarget(target);
  if (crew.wanted === 0) return { source, target: shown, value: 0, wanted: 0, words: `${source}: no replica runs` };
  const warm = crew.replicas.filter(({ readyForMs }) => readyForMs !== undefined && readyForMs >= crew.warmUpMs);
  const used = warm.flatMap((replica) => replica[source] ?? []);
  if (used.length === 0) {
    const why = warm.length === 0 ? 'no replica has been ready long enough' : 'nothing was heard of what replicas use';
    return { source, target: shown, words: `${source}: ${why}` };
  }
  const ratio = ratioOf(used, target);
  const value = ratio * shown;
  const words = usageWords(target, value);
  return { source, target: shown, value, wanted: wantedByUsage(ratio, used, target, crew), words };
}

function shownTarget(target: UsageTarget): number {
  return target.source === 'connections' ? target.perSecond : target.percent;
}

function usageWords(target: UsageTarget, value: number): string {
  return target.source === 'connections'
    ? `a replica gets ${number(value)} new connections a second, the target is ${number(target.perSecond)}`
    : `${target.source} is at ${number(value)} % of its reservation, the target is ${target.percent} %`;
}

/** What a replica should use. */
function goalOf(target: UsageTarget): number {
  return target.source === 'connections' ? target.perSecond : target.reserved * (target.percent / 100);
}

/** What one that says nothing may use at the most, below the target. */
function mostOf(target: UsageTarget): number {
  return target.source === 'connections' ? target.perSecond : target.reserved * Math.max(1, target.percent / 100);
}

function wantedByUsage(ratio: number, used: readonly number[], target: UsageTarget, crew: Crew): number {
  const silent = Math.max(0, crew.wanted - used.length);
  const assumed = ratio > 1 ? 0 : mostOf(target);
  const all = [...used, ...Array.from({ length: silent }, () => assumed)];
  const whole = silent === 0 ? ratio : ratioOf(all, target);
  if (isClose(whole, crew) || whole > 1 !== ratio > 1) return crew.wanted;
  return inDirection(whole, countOf(whole * all.length), crew.wanted);
}

function ratioOf(used: readonly number[], target: UsageTarget): number {
  const sum = used.reduce((total, each) => total + each, 0);
  return sum / (used.length * goalOf(target));
}

/** By what Prometheus answered: the whole load over what a replica carries, or a mean over replicas against its target. */
export function measureQuery(target: QueryTarget, answer: QueryAnswer, crew: Crew): LoadReading {
  if ('problem' in answer) return { source: 'query', target: target.target, words: `query: ${answer.problem}` };
  const { value } = answer;
  const words = `the query answers ${number(value)}, the target is ${number(target.target)} ${wordsOf(target)}`;
  return { source: 'query', target: target.target, value, wanted: wantedByQuery(value, target, crew), words };
}

/** By how many messages wait for a consumer, over what a replica may have waiting. */
export function measureQueue({ stream, consumer, lag }: QueueTarget, answer: QueryAnswer, crew: Crew): LoadReading {
  if ('problem' in answer) return { source: 'nats', target: lag, words: `queue: ${answer.problem}` };
  const { value } = answer;
  const words = `${number(value)} messages of ${stream} wait for ${consumer}, the target is ${number(lag)} a replica`;
  return { source: 'nats', target: lag, value, wanted: wantedByTotal(value, lag, crew), words };
}

function wordsOf({ answers }: QueryTarget): string {
  return answers === 'total' ? 'a replica' : 'as a mean';
}

function wantedByQuery(value: number, { target, answers }: QueryTarget, crew: Crew): number {
  if (answers === 'total' || crew.wanted === 0) return wantedByTotal(value, target, crew);
  const ratio = value / target;
  if (isClose(ratio, crew)) return crew.wanted;
  const ready = crew.replicas.filter(({ readyForMs }) => readyForMs !== undefined).length;
  const carrying = ratio > 1 ? ready : crew.wanted;
  return inDirection(ratio, countOf(ratio * carrying), crew.wanted);
}

function wantedByTotal(value: number, target: number, crew: Crew): number {
  const isNear = crew.wanted > 0 && isClose(value / (target * crew.wanted), crew);
  return isNear ? crew.wanted : countOf(value / target);
}

/** What no record could hold any more is as good as the largest number it can. */
function countOf(replicas: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.ceil(replicas - ROUNDING)));
}

function isClose(ratio: number, { tolerance }: Crew): boolean {
  return Math.abs(ratio - 1) <= tolerance + ROUNDING;
}

/** A count that contradicts the load (too few are ready to tell) changes nothing. */
function inDirection(ratio: number, replicas: number, before: number): number {
  return ratio > 1 ? Math.max(replicas, before) : Math.min(replicas, before);
}

/** At most three digits that say something. */
function number(value: number): string {
  return String(Number(value.toPrecision(value >= 1_000 ? 6 : 3)));
}
