/** Judges what the engines showed while a fault lasted and after it: everything it does not explain is a violation. Pure. */
import type { EngineSample, LabContainer } from '../support/lab-engines.ts';
import type { Allowance } from './allowance.ts';
import type { Phase } from './cell.ts';
import { changing, replicas, type WatchedService } from './workload.ts';

export interface CellHistory {
  readonly phase: Phase;
  readonly allowance: Allowance;
  /** The running containers before anything happened. */
  readonly before: readonly LabContainer[];
  /** Ids of those that are still the same run at the end. */
  readonly survivors: ReadonlySet<string>;
  readonly samples: readonly EngineSample[];
  readonly faultAtMs: number;
  readonly liftedAtMs: number;
}

export interface Verdict {
  readonly violations: readonly string[];
  /** How long fewer replicas than wanted of a service nobody changed ran on hosts that could be reached. */
  readonly outageMs: number;
}

/** The cluster at one moment: the newest answer of each engine. */
interface Moment {
  readonly atMs: number;
  readonly running: readonly LabContainer[];
}

export function judge(history: CellHistory): Verdict {
  const moments = momentsOf(history.samples);
  const violations = [
    ...restarts(history),
    ...newcomers(history, moments),
    ...duplicates(history.allowance, moments),
    ...missingDuringUpdate(history, moments),
  ];
  return { violations, outageMs: outageMs(history, moments) };
}

export function momentsOf(samples: readonly EngineSample[]): Moment[] {
  const newest = new Map<string, readonly LabContainer[]>();
  return samples
    .toSorted((left, right) => left.atMs - right.atMs)
    .map(({ host, atMs, containers }) => {
      newest.set(
        host,
        containers.filter((container) => container.running),
      );
      return { atMs, running: [...newest.values()].flat() };
    });
}

/** Containers of services nobody changed go on as they are, unless the fault itself ended them. */
function restarts({ before, survivors, allowance }: CellHistory): string[] {
  return before
    .filter(({ service, host }) => service !== changing.name && !allowance.endedOn.includes(host))
    .filter(({ id }) => !survivors.has(id))
    .map(({ slot, host, id }) => `${slot} on ${host} (${id.slice(0, 12)}) did not survive`);
}

/** Each slot at each revision gets one container, and one more for each reason that the fault gives. */
function newcomers(history: CellHistory, moments: readonly Moment[]): string[] {
  const known = new Set(history.before.map(({ id }) => id));
  const seen = [...history.before, ...moments.flatMap(({ running }) => running)];
  const distinct = [...new Map(seen.map((container) => [container.id, container])).values()];
  return [...bySlot(distinct)].flatMap(([key, all]) => {
    const allowed = 1 + Math.max(...all.map((container) => extraRuns(container, history.allowance)));
    if (all.length <= allowed) return [];
    const told = all.map(({ id, host }) => `${id.slice(0, 12)} on ${host}${known.has(id) ? ' (the first)' : ''}`);
    return [`${key} ran ${all.length} times, explained are ${allowed}: ${told.join(', ')}`];
  });
}

function extraRuns({ host, service }: LabContainer, { endedOn, standInsFor }: Allowance): number {
  const isBoundToHost = service === 'all';
  return Number(endedOn.includes(host)) + Number(standInsFor.includes(host) && !isBoundToHost);
}

/** At no moment do two containers of a slot run at one revision, but for a stand-in beside what a lost host still runs. */
function duplicates({ standInsFor }: Allowance, moments: readonly Moment[]): string[] {
  const found = new Map<string, string>();
  for (const { atMs, running } of moments) {
    for (const [key, group] of bySlot(running)) {
      const lost = group.filter(({ host }) => standInsFor.includes(host)).length;
      if (group.length <= 1 + Math.min(1, lost) || found.has(key)) continue;
      const hosts = group.map(({ host }) => host).join(' and ');
      found.set(key, `${key} ran ${group.length} times at once, on ${hosts} (at ${Math.round(atMs)} ms)`);
    }
  }
  return [...found.values()];
}

function bySlot(containers: readonly LabContainer[]): ReadonlyMap<string, readonly LabContainer[]> {
  const groups = new Map<string, LabContainer[]>();
  for (const container of containers) {
    const key = keyOf(container);
    groups.set(key, [...(groups.get(key) ?? []), container]);
  }
  return groups;
}

function keyOf({ slot, revision }: LabContainer): string {
  return `${slot} at revision ${revision}`;
}

/** A start-first update never has fewer than all replicas, but for those the fault ended. */
function missingDuringUpdate({ phase, allowance, before }: CellHistory, moments: readonly Moment[]): string[] {
  if (phase !== 'updating') return [];
  const lost = before.filter(({ service, host }) => service === changing.name && allowance.endedOn.includes(host));
  const wanted = replicas[changing.name] - lost.length;
  const counts = completeMoments(moments).map(({ running }) => countOf(running, changing.name));
  const fewest = Math.min(...counts);
  return fewest < wanted
    ? [`${changing.name} had only ${fewest} replicas during its update, promised are ${wanted}`]
    : [];
}

/** Before each engine has answered once, nothing can be counted. */
function completeMoments(moments: readonly Moment[]): readonly Moment[] {
  const first = moments.findIndex(({ running }) => new Set(running.map(({ host }) => host)).size >= 3);
  return first === -1 ? [] : moments.slice(first);
}

function countOf(running: readonly LabContainer[], service: WatchedService): number {
  return running.filter((container) => container.service === service).length;
}

function outageMs({ allowance, faultAtMs, liftedAtMs }: CellHistory, moments: readonly Moment[]): number {
  const isServed = ({ atMs, running }: Moment) => {
    const isAway = ({ host }: LabContainer) => atMs < liftedAtMs && allowance.awayHosts.includes(host);
    return (
      countOf(
        running.filter((container) => !isAway(container)),
        'steady',
      ) >= replicas.steady
    );
  };
  return moments.reduce((sumMs, moment, index) => {
    const next = moments[index + 1];
    const isCounted = moment.atMs >= faultAtMs && next !== undefined && !isServed(moment);
    return isCounted ? sumMs + next.atMs - moment.atMs : sumMs;
  }, 0);
}
