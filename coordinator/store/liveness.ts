/**
 * Which nodes are alive: a pure state machine over beats and probes. A silent node is `suspect`; it is `lost` only when it
 * cannot be reached by this coordinator nor by other nodes either. Everything this process itself was late for is taken
 * off the silence of others.
 */
import type { Beat } from '../../model/messages.ts';
import type { NodeLiveness, NodeState } from './snapshot.ts';

const SUSPECT_AFTER_MS = 1_000;
/**
 * A refused connection says the host lives and only the agent is away: its containers run on, and its supervisor gets time
 * to start it again, which takes seconds where the processor is busy.
 */
const REFUSED_LOST_AFTER_MS = 10_000;
const MAIN_LOOP_HANGS_AFTER_MS = 5_000;
const PROBE_AGAIN_AFTER_MS = 1_000;
/**
 * A cable that is out for a second swallows all probes of one round. The second round begins 1.8 s after the last beat, at
 * least 1.3 s after the cable went: only a longer cut fails both.
 */
const ROUNDS_TO_LOSE = 2;
const UNREACHABLE_AGAIN_AFTER_MS = 300;
/** A mass loss is more likely our own trouble: probed twice, and at least this long silent. */
const MASS_LOSS_SILENCE_MS = 10_000;
const MASS_LOSS_MIN_NODES = 4;
const FLAP_WINDOW_MS = 10 * 60_000;
const FLAP_PENALTY_MS = 60 * 60_000;

/** What is remembered of one node; times are on the elapsed clock. */
export interface NodeWatch {
  readonly lastBeatMs: number;
  /** False until the first beat since this coordinator began to listen. */
  readonly heard: boolean;
  readonly engineResponsive: boolean;
  readonly mainLoopAgeMs: number;
  /** Of the agent that sent the last beat. */
  readonly incarnation?: number;
  readonly state: NodeState;
  readonly sinceMs: number;
  readonly message: string;
  /** Failed rounds of probes since the last beat, and what the last round found. */
  readonly probes: {
    readonly failedRounds: number;
    readonly lastAtMs: number | undefined;
    readonly outcome: ProbeOutcome;
  };
  /** When it was declared lost lately. */
  readonly lostAtMs: readonly number[];
}

/** `refused` = the host answered that nothing listens there. */
export type ProbeOutcome = 'none' | 'reachable' | 'refused' | 'unreachable';

export interface Conditions {
  readonly nowMs: number;
  /** False before a new lease is 5 s old, while the bus is away: then nobody is declared lost. */
  readonly mayDeclareLost: boolean;
}

const NOT_PROBED: NodeWatch['probes'] = { failedRounds: 0, lastAtMs: undefined, outcome: 'none' };

/** A node just heard of by its record. */
export function watchNode(nowMs: number): NodeWatch {
  return {
    lastBeatMs: nowMs,
    heard: false,
    engineResponsive: true,
    mainLoopAgeMs: 0,
    state: 'unknown',
    sinceMs: nowMs,
    message: 'not heard of yet',
    probes: NOT_PROBED,
    lostAtMs: [],
  };
}

export function noteBeat(watch: NodeWatch, beat: Beat, nowMs: number): NodeWatch {
  // Twice a second for every node: spelled out, this takes a fifth of the time of a copy with changes.
  return {
    lastBeatMs: nowMs,
    heard: true,
    engineResponsive: beat.engineResponsive,
    mainLoopAgeMs: beat.mainLoopAgeMs,
    incarnation: beat.incarnation,
    state: watch.state,
    sinceMs: watch.sinceMs,
    message: watch.message,
    probes: NOT_PROBED,
    lostAtMs: watch.lostAtMs,
  };
}

/** Whether the beat of a node says anything but that it goes on well. Pure. */
export function isNews(watch: NodeWatch, beat: Beat): boolean {
  const isWell = beat.engineResponsive && beat.mainLoopAgeMs <= MAIN_LOOP_HANGS_AFTER_MS;
  return !isWell || watch.state !== 'ready' || watch.incarnation !== beat.incarnation;
}

/** Time in which this process could not have heard anything does not count as silence. */
export function excuse(watch: NodeWatch, lateMs: number, nowMs: number): NodeWatch {
  return { ...watch, lastBeatMs: Math.min(nowMs, watch.lastBeatMs + lateMs) };
}

export function noteProbe(watch: NodeWatch, outcome: ProbeOutcome, nowMs: number): NodeWatch {
  const failedRounds = outcome === 'reachable' ? 0 : watch.probes.failedRounds + 1;
  return { ...watch, probes: { failedRounds, lastAtMs: nowMs, outcome } };
}

/** Silent nodes that should be probed now. */
export function nodesToProbe(watches: ReadonlyMap<string, NodeWatch>, nowMs: number): string[] {
  return [...watches].filter(([, watch]) => shouldProbe(watch, nowMs)).map(([id]) => id);
}

function shouldProbe(watch: NodeWatch, nowMs: number): boolean {
  if (watch.state === 'lost' || nowMs - watch.lastBeatMs < SUSPECT_AFTER_MS) return false;
  const { lastAtMs, outcome } = watch.probes;
  const waitMs = outcome === 'unreachable' ? UNREACHABLE_AGAIN_AFTER_MS : PROBE_AGAIN_AFTER_MS;
  return lastAtMs === undefined || nowMs - lastAtMs >= waitMs;
}

/** True when nobody is silent, hangs or was taken for anything but ready: the usual case, told cheaply. Pure. */
export function areWell(
  known: ReadonlyMap<string, NodeWatch>,
  watches: ReadonlyMap<string, NodeWatch>,
  nowMs: number,
): boolean {
  for (const [id, watch] of watches) {
    const isQuiet = nowMs - watch.lastBeatMs < SUSPECT_AFTER_MS && watch.engineResponsive;
    const wasReady = watch.state === 'ready' && known.get(id)?.incarnation === watch.incarnation;
    if (!isQuiet || !wasReady || watch.mainLoopAgeMs > MAIN_LOOP_HANGS_AFTER_MS) return false;
  }
  return known.size === watches.size;
}

/** When the first of these nodes will have been silent for too long if nobody beats; infinity without nodes. Pure. */
export function silentFromMs(watches: ReadonlyMap<string, NodeWatch>): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { lastBeatMs } of watches.values()) first = Math.min(first, lastBeatMs + SUSPECT_AFTER_MS);
  return first;
}

/** Every node's state as of now. Pure. */
export function assess(
  watches: ReadonlyMap<string, NodeWatch>,
  conditions: Conditions,
): ReadonlyMap<string, NodeWatch> {
  const silent = [...watches.values()].filter((watch) => conditions.nowMs - watch.lastBeatMs >= SUSPECT_AFTER_MS);
  const isMassLoss = watches.size >= MASS_LOSS_MIN_NODES && silent.length * 2 > watches.size;
  return new Map([...watches].map(([id, watch]) => [id, assessOne(watch, conditions, isMassLoss)]));
}

function assessOne(watch: NodeWatch, conditions: Conditions, isMassLoss: boolean): NodeWatch {
  const next = judge(watch, conditions, isMassLoss);
  if (next.state === watch.state) return watch.state === 'suspect' ? { ...watch, message: next.message } : watch;
  const isLoss = next.state === 'lost';
  const lostAtMs = isLoss
    ? [...watch.lostAtMs.filter((at) => at > conditions.nowMs - FLAP_PENALTY_MS), conditions.nowMs]
    : watch.lostAtMs;
  return { ...watch, state: next.state, message: next.message, sinceMs: conditions.nowMs, lostAtMs };
}

function judge(watch: NodeWatch, conditions: Conditions, isMassLoss: boolean): Pick<NodeWatch, 'state' | 'message'> {
  if (watch.state === 'lost' && !hasBeatenSince(watch)) return watch;
  const silentMs = conditions.nowMs - watch.lastBeatMs;
  const factor = isFlapping(watch, conditions.nowMs) ? 2 : 1;
  if (silentMs < SUSPECT_AFTER_MS * factor) return judgeByBeat(watch);
  const silence = `no beat for ${(silentMs / 1000).toFixed(1)} s`;
  if (isLost(watch, silentMs, factor, isMassLoss) && conditions.mayDeclareLost) {
    const { outcome } = watch.probes;
    return {
      state: 'lost',
      message: `${silence}${probeWords[outcome]}${outcome === 'unreachable' ? ' by any node asked' : ''}`,
    };
  }
  if (!watch.heard && watch.probes.outcome === 'none') return { state: 'unknown', message: watch.message };
  return { state: 'suspect', message: `${silence}${probeWords[watch.probes.outcome]}` };
}

/** What a node was excused for is no sign of life: only a beat forgets the probes that failed. */
function hasBeatenSince({ probes }: NodeWatch): boolean {
  return probes.outcome === 'none';
}

const probeWords: Readonly<Record<ProbeOutcome, string>> = {
  none: '',
  reachable: ', but its agent accepts connections',
  refused: ', its host refuses connections: the agent is away',
  unreachable: ', cannot be reached',
};

function judgeByBeat(watch: NodeWatch): Pick<NodeWatch, 'state' | 'message'> {
  if (!watch.heard) return { state: watch.state, message: watch.message };
  if (!watch.engineResponsive) return { state: 'engine-unresponsive', message: 'the Docker Engine does not answer' };
  if (watch.mainLoopAgeMs > MAIN_LOOP_HANGS_AFTER_MS) {
    return { state: 'suspect', message: `its agent has hung for ${Math.round(watch.mainLoopAgeMs / 1000)} s` };
  }
  return { state: 'ready', message: 'beats arrive' };
}

/** `factor` doubles the limits of a node that is lost again and again. */
function isLost(watch: NodeWatch, silentMs: number, factor: 1 | 2, isMassLoss: boolean): boolean {
  const { failedRounds, outcome } = watch.probes;
  if (outcome !== 'unreachable' && outcome !== 'refused') return false;
  if (isMassLoss) return failedRounds >= 2 && silentMs >= MASS_LOSS_SILENCE_MS;
  return outcome === 'unreachable'
    ? failedRounds >= ROUNDS_TO_LOSE * factor
    : silentMs >= REFUSED_LOST_AFTER_MS * factor;
}

/** Lost twice within ten minutes: its limits are doubled for an hour. */
function isFlapping({ lostAtMs }: NodeWatch, nowMs: number): boolean {
  return lostAtMs.some(
    (at, index) => index > 0 && at - (lostAtMs[index - 1] ?? 0) <= FLAP_WINDOW_MS && nowMs - at <= FLAP_PENALTY_MS,
  );
}

/** What snapshots show of it. */
export function livenessOf(watches: ReadonlyMap<string, NodeWatch>): ReadonlyMap<string, NodeLiveness> {
  return new Map([...watches].map(([id, watch]) => [id, shown(watch)]));
}

function shown({ state, sinceMs, message, incarnation }: NodeWatch): NodeLiveness {
  return { state, sinceMs, message, incarnation };
}
