/**
 * Brings one wanted slot to one good task. Level-triggered: what to do follows from the records alone, so that any leader
 * can go on where another stopped. Updates, drains, moves and failovers are all the same replacement of tasks:
 * a new task with desired `ready` waits until the old ones are gone (stop-first); with desired `running` it starts beside
 * them and they go once it is ready (start-first, surge).
 */
import type { SlotRecord } from '../../model/slot-record.ts';
import type { Moment } from './actions.ts';
import type { Budget } from './budget.ts';
import { FAILURES_TO_AVOID_NODE } from './placement.ts';
import type { Slot, SlotTask } from './slot.ts';

/** A lost node that returns within this time gets its task back if it is healthy. */
export const SURGE_RETURN_MS = 60_000;

/** A slot that needs a task. */
export interface Vacancy {
  readonly slot: Slot;
  readonly reason: string;
  /** Tasks on reachable nodes the new one replaces. */
  readonly replaced: readonly SlotTask[];
  /** Tasks on lost nodes it stands in for. */
  readonly lost: readonly SlotTask[];
  /** The replaced task is as it should be, only its node is not: a drain. */
  readonly isMove: boolean;
  /** Keeps failing where it is: only another node will do. */
  readonly mover?: SlotTask;
}

export interface Situation {
  readonly now: Moment;
  readonly revision: number;
  /** True when outdated tasks of this slot may be replaced now. */
  readonly mayUpdate: boolean;
  /** Why a task may not stay on its node ("node h1 is drained"); undefined = it may. */
  readonly unsuitable: (task: SlotTask) => string | undefined;
  /** How many replicas may be taken away for a move before others have taken over. */
  readonly budget: Budget;
  /** Asks to be planned again at this wall time. */
  readonly wakeAt: (wallMs: number) => void;
}

const noTasks: readonly SlotTask[] = [];

/** Decides one wanted slot; answers the task it lacks, if any. */
export function settleSlot(slot: Slot, situation: Situation): Vacancy | undefined {
  if (slot.tasks.length === 0) return vacancyOf(slot, noTasks, noTasks, situation);
  const present = slot.live.filter((task) => !task.lost || isOver(task));
  const lost = slot.live.filter((task) => task.lost && !isOver(task));
  rememberFailing(slot, present, situation.revision);
  const contenders = contendersOf(present, situation);
  if (contenders.length === 0) return vacancyOf(slot, present, lost, situation);
  if (awaitsReturned(slot, contenders, situation)) return undefined;
  const keeper = chooseKeeper(slot, contenders, situation.now);
  slot.amend({ pending: undefined }, 'the slot has its task');
  retire(slot, keeper, present, situation);
  dropOutdatedLost(slot, keeper, lost);
  release(slot, keeper);
  if (lost.length === 0 && slot.live.length <= 1)
    slot.amend({ surge: undefined }, 'the stand-in is not needed any more');
  return keeper.failing && present.length === 1 ? moveOf(slot, keeper) : undefined;
}

/** Tasks one of which may stay: up to date and suitable; outdated ones while the roll-out has not come to this slot. */
function contendersOf(present: readonly SlotTask[], situation: Situation): readonly SlotTask[] {
  const suitable = present.filter((task) => isOver(task) || situation.unsuitable(task) === undefined);
  const upToDate = suitable.filter((task) => task.record.revision === situation.revision);
  if (upToDate.length > 0 || situation.mayUpdate) return upToDate;
  return suitable;
}

/** Its restart policy is done with it: as in Swarm neither a drain nor the loss of its node runs it once more. */
function isOver({ status }: SlotTask): boolean {
  return status?.final === true && status.revoked !== true;
}

/** Nodes on which the slot keeps failing at this revision: placement avoids them from now on. */
function rememberFailing(slot: Slot, present: readonly SlotTask[], revision: number): void {
  for (const task of present) {
    if (!task.failing || task.record.revision !== revision) continue;
    const known = failuresOf(slot.current, revision);
    if ((known[task.node.id] ?? 0) >= FAILURES_TO_AVOID_NODE) continue;
    const failuresByNode = { ...known, [task.node.id]: task.status?.failures ?? 0 };
    slot.amend({ failuresByNode, failuresRevision: revision }, `failed often on node ${task.node.name}`);
  }
}

/** A slot's failures by node at a revision; those of another one say nothing. */
export function failuresOf(slot: SlotRecord, revision: number): Readonly<Record<string, number>> {
  return slot.failuresRevision === revision ? slot.failuresByNode : {};
}

function vacancyOf(
  slot: Slot,
  replaced: readonly SlotTask[],
  lost: readonly SlotTask[],
  situation: Situation,
): Vacancy {
  const old = replaced[0];
  const reason = old
    ? (situation.unsuitable(old) ?? `update to revision ${situation.revision}`)
    : lost[0]
      ? `stands in for a task on lost node ${lost[0].node.name}`
      : 'the service wants this replica';
  const isMove = old !== undefined && old.record.revision === situation.revision;
  return { slot, reason, replaced, lost, isMove };
}

function moveOf(slot: Slot, keeper: SlotTask): Vacancy {
  const failures = keeper.status?.failures ?? 0;
  return {
    slot,
    reason: `failed ${failures} times in a row on node ${keeper.node.name}`,
    replaced: [keeper],
    lost: [],
    isMove: true,
    mover: keeper,
  };
}

/** After a node's return both tasks stay until the first one is ready again, for a minute at most. */
function awaitsReturned(slot: Slot, contenders: readonly SlotTask[], situation: Situation): boolean {
  const surge = slot.current.surge;
  const original = contenders.find((task) => task.record.id === surge?.lostTaskId);
  if (!surge || !original || original.ready || original.failing || original.revoked || contenders.length < 2)
    return false;
  if (isOverdue(surge, situation.now)) return false;
  situation.wakeAt(surge.madeAtMs + SURGE_RETURN_MS);
  return true;
}

/** Older than a minute; or from the future, by a clock that was set back since: then nobody knows. */
function isOverdue({ madeAtMs }: NonNullable<SlotRecord['surge']>, now: Moment): boolean {
  const ageMs = now.wallMs - madeAtMs;
  return ageMs >= SURGE_RETURN_MS || ageMs < -SURGE_RETURN_MS;
}

/** The one to keep among several: not failing, ready; then the one that was lost (after a long absence its stand-in). */
function chooseKeeper(slot: Slot, contenders: readonly SlotTask[], now: Moment): SlotTask {
  const surge = slot.current.surge;
  const isOriginal = (task: SlotTask) => task.record.id === surge?.lostTaskId;
  const wasLong = surge !== undefined && isOverdue(surge, now);
  const [keeper] = [...contenders].sort(
    (a, b) =>
      Number(a.failing) - Number(b.failing) ||
      Number(a.revoked) - Number(b.revoked) ||
      Number(b.ready) - Number(a.ready) ||
      (wasLong ? 1 : -1) * (Number(isOriginal(a)) - Number(isOriginal(b))) ||
      a.record.createdAtMs - b.record.createdAtMs ||
      (a.record.id < b.record.id ? -1 : 1),
  );
  if (!keeper) throw new Error('a slot without contenders has no keeper');
  return keeper;
}

/** Stops what the keeper replaces, but nothing that serves before the keeper can take over. */
function retire(slot: Slot, keeper: SlotTask, present: readonly SlotTask[], situation: Situation): void {
  const canTakeOver = keeper.record.desired === 'ready' ? isPrepared(keeper) : keeper.ready;
  for (const task of present) {
    if (task === keeper || !(canTakeOver || task.idle)) continue;
    if (isTakenAway(task, keeper, situation) && !situation.budget.takeServing()) continue;
    slot.stopTask(task, situation.unsuitable(task) ?? retirementReason(task, keeper));
  }
}

/** Serves, and has to go before the one that follows can start, for no reason but its node. */
function isTakenAway(task: SlotTask, keeper: SlotTask, situation: Situation): boolean {
  const isGap = task.ready && keeper.record.desired === 'ready';
  return isGap && !situation.mayUpdate && situation.unsuitable(task) !== undefined;
}

function retirementReason(task: SlotTask, keeper: SlotTask): string {
  if (task.record.revision !== keeper.record.revision) return `replaced by revision ${keeper.record.revision}`;
  return `another task of this slot runs on node ${keeper.node.name}`;
}

/** Image there, waiting for its start. */
function isPrepared(task: SlotTask): boolean {
  const state = task.status?.state;
  return state === 'ready' || state === 'starting' || state === 'running';
}

/** A lost task of an old revision need not come back. */
function dropOutdatedLost(slot: Slot, keeper: SlotTask, lost: readonly SlotTask[]): void {
  for (const task of lost) {
    if (task.record.revision !== keeper.record.revision) slot.stopTask(task, retirementReason(task, keeper));
  }
}

/** Lets a task that waits, or was stopped by its agent, run once no other of its slot can be running. */
function release(slot: Slot, keeper: SlotTask): void {
  if (keeper.record.desired !== 'ready' && !keeper.revoked) return;
  const others = slot.tasks.filter((task) => task !== keeper && !task.gone && !task.lost && !hasStopped(task));
  if (others.length > 0) return;
  const attempt = keeper.status?.attempt ?? 0;
  if (keeper.revoked)
    slot.changeTask(keeper, { replaceAttempt: attempt, resumeAttempt: attempt }, 'its node hears the leader again');
  else slot.changeTask(keeper, { desired: 'running' }, keeper.record.reason);
}

function hasStopped(task: SlotTask): boolean {
  return task.record.desired === 'stopped' && task.status?.state === 'shutdown';
}
