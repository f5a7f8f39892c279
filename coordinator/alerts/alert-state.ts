/** How what is heard of alerts changes what is known of them: repeats, copies and late messages change nothing. Pure. */
import type { AlertRecord, AlertState } from '../../model/alert-record.ts';
import type { AlertRequest } from './alert-report.ts';

/** Not heard of for so long, an alert is acted on no more: the shipped route repeats each minute. */
const UNHEARD_AFTER_MS = 300_000;
/** Not heard of for so long, it is taken for over. */
const OVER_AFTER_MS = 3_600_000;
/** So long an alert that is over is remembered, and one that began earlier cannot be new. */
export const REMEMBERED_MS = 24 * 3_600_000;
/** Repeats are written down so often at the most. */
const HEARD_STEP_MS = 30_000;
/** Clocks of other hosts may be that far ahead. */
const FUTURE_MS = 600_000;
/** Of one service; those that are over make room. */
const MAX_STATES = 50;
/** What is told beside a listing that was asked for a moment ago may be newer than it. */
const LISTING_GRACE_MS = 2_000;

/** unheard: nobody has said for a while that it still fires, nor that it is over. */
export type Standing = 'firing' | 'unheard' | 'over';

export function standingOf({ status, heardAtMs }: AlertState, nowMs: number): Standing {
  if (status === 'resolved') return 'over';
  const silentMs = nowMs - heardAtMs;
  if (silentMs < UNHEARD_AFTER_MS) return 'firing';
  return silentMs < OVER_AFTER_MS ? 'unheard' : 'over';
}

/** changed: news. repeated: known already. old: of an earlier episode, or the firing of one that is over. */
export type Outcome = 'changed' | 'repeated' | 'old' | 'future' | 'full';

export interface Heard {
  readonly record: AlertRecord;
  /** One for each request. */
  readonly outcomes: readonly Outcome[];
}

/** What is known after a message; the very same record when it need not be written. */
export function hear(before: AlertRecord, requests: readonly AlertRequest[], nowMs: number): Heard {
  let record = before;
  const outcomes = requests.map((request) => {
    const { alerts, outcome } = hearOne(record.alerts, request, nowMs);
    if (alerts !== record.alerts) record = { ...record, alerts };
    return outcome;
  });
  return { record, outcomes };
}

/**
 * What is known after a listing of all alerts that fire, asked for at `askedAtMs`: those missing in it are over, whatever
 * message was lost, and one that was taken for over fires again if Alertmanager has heard of it since. `unreadable` are the
 * fingerprints of those that are listed and say nothing that could be understood (a count that is +Inf): they fire still.
 */
export function reconcile(
  before: AlertRecord,
  listed: readonly AlertRequest[],
  askedAtMs: number,
  nowMs: number,
  unreadable: ReadonlySet<string> = new Set(),
): AlertRecord {
  const known = new Set([...unreadable, ...listed.map(({ report }) => report.fingerprint)]);
  const isOver = ({ fingerprint, status, heardAtMs }: AlertState) =>
    status === 'firing' && !known.has(fingerprint) && heardAtMs < askedAtMs - LISTING_GRACE_MS;
  const alerts = before.alerts.some(isOver)
    ? before.alerts.map((state) => (isOver(state) ? resolved(state, nowMs) : state))
    : before.alerts;
  const kept = alerts === before.alerts ? before : { ...before, alerts };
  return hear(kept, listed, nowMs).record;
}

/** Without what is long over; the very same record when all of it is still needed. */
export function withoutForgotten(record: AlertRecord, nowMs: number): AlertRecord {
  const isKept = ({ heardAtMs }: AlertState) => nowMs - heardAtMs < REMEMBERED_MS;
  const alerts = record.alerts.filter(isKept);
  if (alerts.length === record.alerts.length) return record;
  const isOf = (fingerprint: string) => alerts.some((state) => state.fingerprint === fingerprint);
  const deeds = record.deeds.filter(({ fingerprint, atMs }) => isOf(fingerprint) || nowMs - atMs < REMEMBERED_MS);
  return { ...record, alerts, deeds };
}

interface HeardOne {
  readonly alerts: AlertState[];
  readonly outcome: Outcome;
}

function hearOne(alerts: AlertState[], request: AlertRequest, nowMs: number): HeardOne {
  const { report } = request;
  if (report.startsAtMs > nowMs + FUTURE_MS) return { alerts, outcome: 'future' };
  const known = alerts.find(({ fingerprint }) => fingerprint === report.fingerprint);
  if (known === undefined) return hearNew(alerts, request, nowMs);
  const next = nextState(known, request, nowMs);
  if (next === undefined) return { alerts, outcome: 'old' };
  if (next === known) return { alerts, outcome: 'repeated' };
  const isNews = next.status !== known.status || next.startsAtMs !== known.startsAtMs;
  const outcome = isNews || next.replicas !== known.replicas ? 'changed' : 'repeated';
  return { alerts: alerts.map((state) => (state === known ? next : state)), outcome };
}

/** One that is over before it was heard of is remembered too: what says that it fires may come late. */
function hearNew(alerts: AlertState[], { report, action }: AlertRequest, nowMs: number): HeardOne {
  const { fingerprint, name, status, startsAtMs, replicas, updatedAtMs } = report;
  if (updatedAtMs === undefined && nowMs - startsAtMs > REMEMBERED_MS) return { alerts, outcome: 'old' };
  const room = alerts.length < MAX_STATES ? alerts : withoutOldestOver(alerts, nowMs);
  if (room.length >= MAX_STATES) return { alerts, outcome: 'full' };
  const state = { fingerprint, name, action, status, startsAtMs, changedAtMs: nowMs, heardAtMs: nowMs };
  const isFiring = status === 'firing';
  const fresh = withReplicas(state, isFiring ? replicas : undefined);
  return { alerts: [...room, fresh], outcome: isFiring ? 'changed' : 'repeated' };
}

/** Undefined for what is older than what is known. */
function nextState(known: AlertState, request: AlertRequest, nowMs: number): AlertState | undefined {
  const { report, action } = request;
  const { status, startsAtMs, replicas, name } = report;
  if (startsAtMs < known.startsAtMs) return afterEarlierStart(known, request, nowMs);
  const isSame = startsAtMs === known.startsAtMs;
  if (isSame && known.status === 'resolved') {
    if (status === 'resolved') return known;
    return isHeardSince(known, report.updatedAtMs) ? fires() : undefined;
  }
  if (isSame && status === 'resolved') return resolved(known, nowMs);
  if (!isSame) return status === 'firing' ? fires() : { ...resolved(known, nowMs), startsAtMs };
  const isStale = isLongUnheard(known, nowMs);
  const needed = report.updatedAtMs === undefined ? most(known.replicas, replicas) : replicas;
  if (!isStale && needed === known.replicas) return known;
  return withReplicas({ ...known, heardAtMs: nowMs }, needed);

  function fires(): AlertState {
    const state = {
      ...known,
      name,
      action,
      status: 'firing',
      startsAtMs,
      changedAtMs: nowMs,
      heardAtMs: nowMs,
    } as const;
    return withReplicas(state, replicas);
  }
}

/**
 * With a start before the known one: of an earlier episode, or of this one. Of several who tell of an alert (two Prometheus,
 * whose clocks differ) Alertmanager keeps the earliest start, so that it moves back. A listing speaks of now, and what ended
 * after the known start is the known episode; a message that it fires shows no more than that somebody speaks of it.
 */
function afterEarlierStart(known: AlertState, request: AlertRequest, nowMs: number): AlertState | undefined {
  const { status, endsAtMs = 0, updatedAtMs } = request.report;
  if (updatedAtMs !== undefined) {
    return nextState(known, { ...request, report: { ...request.report, startsAtMs: known.startsAtMs } }, nowMs);
  }
  if (known.status === 'resolved') return undefined;
  if (status === 'resolved') return endsAtMs >= known.startsAtMs ? resolved(known, nowMs) : undefined;
  return isLongUnheard(known, nowMs) ? { ...known, heardAtMs: nowMs } : undefined;
}

function isLongUnheard({ heardAtMs }: AlertState, nowMs: number): boolean {
  return nowMs - heardAtMs >= HEARD_STEP_MS || nowMs < heardAtMs;
}

function isHeardSince({ changedAtMs }: AlertState, updatedAtMs: number | undefined): boolean {
  return updatedAtMs !== undefined && updatedAtMs > changedAtMs;
}

function resolved({ replicas: _, ...state }: AlertState, nowMs: number): AlertState {
  return { ...state, status: 'resolved', changedAtMs: nowMs, heardAtMs: nowMs };
}

/** Messages do not say which of two is newer, listings do. */
function most(known: number | undefined, heard: number | undefined): number | undefined {
  if (known === undefined || heard === undefined) return heard ?? known;
  return Math.max(known, heard);
}

function withReplicas({ replicas: _, ...state }: AlertState, replicas: number | undefined): AlertState {
  return replicas === undefined ? state : { ...state, replicas };
}

function withoutOldestOver(alerts: AlertState[], nowMs: number): AlertState[] {
  const over = alerts.filter((state) => standingOf(state, nowMs) === 'over');
  const [oldest] = over.sort((a, b) => a.heardAtMs - b.heardAtMs);
  return oldest === undefined ? alerts : alerts.filter((state) => state !== oldest);
}
