/** How far a roll-out is with one slot: begun, ready, done or failed. Pure. */
import type { RolloutRecord } from '../../model/rollout-record.ts';
import { stopGracePeriodMs, type UpdateRules } from '../../model/service-defaults.ts';
import type { Moment } from './actions.ts';
import type { Slot, SlotTask } from './slot.ts';

export type SlotProgress = RolloutRecord['slots'][string];

/** The knobs of a roll-out. */
export interface ProgressRules extends UpdateRules {
  /** How long a slot's new task may take to become ready. */
  readonly progressDeadlineMs: number;
  /** Old tasks hold what the next slots' new ones need in order to start beside theirs (a host port) until they are gone. */
  readonly waitsUntilGone: boolean;
}

/** A slot that comes into work now: with the task it is to get, or with one of the wanted revision it has already. */
export function beginSlot(taskId: string, now: Moment, found?: SlotTask): SlotProgress {
  const attempt = found?.status?.attempt;
  return {
    taskId,
    startedAtMs: now.wallMs,
    failed: false,
    ...(attempt === undefined ? {} : { attemptFound: attempt }),
  };
}

/** The slot's task of the revision rolled out, if there is one. */
export interface RolledOutTask {
  readonly task: SlotTask | undefined;
  /** Made for this roll-out. */
  readonly isNew: boolean;
  /** When the roll-out last made progress with any of its slots. */
  readonly progressAtMs: number;
}

/** What has become of a slot in work. */
export function progressOf(
  before: SlotProgress,
  slot: Slot,
  rolledOut: RolledOutTask,
  now: Moment,
  rules: ProgressRules,
): SlotProgress {
  const { task, isNew } = rolledOut;
  const known = withRoom(notAheadOf(before, now), slot, rolledOut, now);
  const readyAtMs = known.readyAtMs ?? (task?.ready ? now.wallMs : undefined);
  const watched = readyAtMs === undefined || now.wallMs < readyAtMs + rules.monitorMs;
  const hasFallen = watched && task !== undefined && (isDown(task, known) || (isNew && hasEnded(task)));
  const isOverdue = readyAtMs === undefined && now.wallMs >= deadlineOf(known, rolledOut, rules);
  const failed = known.failed || hasFallen || isOverdue;
  const isReplaced = readyAtMs !== undefined && slot.tasks.every((old) => old === task || hasLeft(old, rules));
  const doneAtMs = known.doneAtMs ?? (isReplaced || failed ? now.wallMs : undefined);
  return {
    ...known,
    taskId: task?.record.id ?? known.taskId,
    failed,
    ...(isOverdue && !known.failed && !hasFallen ? { overdue: true } : {}),
    ...(readyAtMs === undefined ? {} : { readyAtMs }),
    ...(doneAtMs === undefined ? {} : { doneAtMs }),
  };
}

/**
 * When a slot in work has to be ready: the time counts from when its new task had room, which others of the roll-out may
 * have to make for it first. Wall clock, ms.
 */
export function deadlineOf(
  { startedAtMs, roomFromMs = 0 }: SlotProgress,
  { task, isNew, progressAtMs }: RolledOutTask,
  { progressDeadlineMs }: ProgressRules,
): number {
  const placedAtMs = isNew ? (task?.record.createdAtMs ?? 0) : 0;
  const sinceMs = Math.max(startedAtMs, roomFromMs, task === undefined ? progressAtMs : placedAtMs);
  return sinceMs + progressDeadlineMs;
}

/** An old task that leaves first may take its grace period. */
function withRoom(known: SlotProgress, slot: Slot, { task }: RolledOutTask, now: Moment): SlotProgress {
  if (task === undefined || known.readyAtMs !== undefined || known.doneAtMs !== undefined) return known;
  const leaving = leavingOf(slot, task.record.revision);
  const { roomFromMs } = known;
  if (leaving) return { ...known, roomFromMs: roomFromMs ?? now.wallMs + stopGracePeriodMs(leaving.record.template) };
  return roomFromMs === undefined ? known : { ...known, roomFromMs: Math.min(roomFromMs, now.wallMs) };
}

/** Told to stop is enough, as in Swarm: how long an old task takes to end is no matter of the next slot's. */
function hasLeft({ record, gone, lost }: SlotTask, { waitsUntilGone }: ProgressRules): boolean {
  return gone || lost || (record.desired === 'stopped' && !waitsUntilGone);
}

/** An old task of the slot was told to stop and is not gone yet. */
export function isLeaving(slot: Slot, revision: number): boolean {
  return leavingOf(slot, revision) !== undefined;
}

function leavingOf(slot: Slot, revision: number): SlotTask | undefined {
  return slot.tasks.find(
    ({ record, gone, lost }) => record.revision !== revision && record.desired === 'stopped' && !gone && !lost,
  );
}

/** Clocks may be set back, and those of two leaders differ: nothing then waits for a time that is far ahead. */
function notAheadOf(known: SlotProgress, now: Moment): SlotProgress {
  const { startedAtMs, readyAtMs, doneAtMs } = known;
  return {
    ...known,
    startedAtMs: Math.min(startedAtMs, now.wallMs),
    ...(readyAtMs === undefined ? {} : { readyAtMs: Math.min(readyAtMs, now.wallMs) }),
    ...(doneAtMs === undefined ? {} : { doneAtMs: Math.min(doneAtMs, now.wallMs) }),
  };
}

/** What an attempt that was found went through before is no failure of this roll-out. */
function isDown({ status, record }: SlotTask, { taskId, attemptFound = 0 }: SlotProgress): boolean {
  if (!status || status.revoked || (record.id === taskId && status.attempt <= attemptFound)) return false;
  return status.final || status.state === 'failed' || status.state === 'rejected' || status.health === 'unhealthy';
}

/** Any end of a run counts, exit 0 too: of a task made for this roll-out, not of one that was there before it. */
function hasEnded({ status, record }: SlotTask): boolean {
  if (!status) return false;
  // Stopped by an agent that did not hear the leader: no fault of the task's, which begins again once it is heard.
  const revoked = status.exits.filter(({ state }) => state === 'shutdown').length;
  return status.exits.length > revoked || status.restarts > revoked || status.failures > record.priorFailures;
}
