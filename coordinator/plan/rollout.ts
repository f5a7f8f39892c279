/**
 * How far an update may go now: which slots are in work, which may begin, whether it failed or is done. The rules are
 * swarmkit's updater's (manager/orchestrator/update): `parallelism` workers, each waits `delay` after its slot; a new task
 * that fails before it is ready or within `monitor` after counts as one failure.
 */
import { durationText } from '../../model/duration.ts';
import type { RolloutRecord } from '../../model/rollout-record.ts';
import { updateRules } from '../../model/service-defaults.ts';
import { PROGRESS_DEADLINE_LABEL, progressDeadlineMs } from '../../model/service-policy.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import type { Moment } from './actions.ts';
import { sameValue } from './same-value.ts';
import type { Slot } from './slot.ts';
import {
  beginSlot,
  deadlineOf,
  isLeaving,
  type ProgressRules,
  progressOf,
  type RolledOutTask,
  type SlotProgress,
} from './slot-progress.ts';
import { updateConfigOf } from './update-order.ts';

export interface RolloutStep {
  /** The record as it should be; undefined = the service has had no update yet. */
  readonly record: RolloutRecord | undefined;
  /** Slots whose outdated tasks may be replaced. */
  readonly inWork: ReadonlySet<string>;
  /** Set when the service has to go back to its previous specification. */
  readonly rollBack: string | undefined;
  readonly nextAtMs: number | undefined;
}

export interface RolloutInput {
  readonly service: ServiceRecord;
  /** The bus revision of the service record. */
  readonly version: number;
  /** The wanted slots whose nodes can be updated. */
  readonly slots: readonly Slot[];
  readonly before: RolloutRecord | undefined;
  /** Why its update cannot be taken back; asked once it has failed. */
  readonly obstacle: () => string | undefined;
  readonly now: Moment;
}

const STARTED = ['updating', 'rollback_started'];

/** One step of the roll-out of a service's current revision. Pure: the same input gives the same step. */
export function stepRollout(input: RolloutInput): RolloutStep {
  const dirty = input.slots.filter((slot) => isDirty(slot, input.service.revision));
  if (isOver(input)) return settled(input.before, dirty);
  if (input.service.change === 'create' && dirty.length === 0 && !isUnderWay(input.before))
    return settled(input.before, []);
  const rules = rulesOf(input.service);
  const observed = observe(beginRecord(input), input, rules);
  return judge(observed, input, dirty, rules) ?? advance(observed, input, dirty, rules);
}

function rulesOf(service: ServiceRecord): ProgressRules {
  return {
    ...updateRules(updateConfigOf(service)),
    progressDeadlineMs: progressDeadlineMs(service.spec.Labels),
    waitsUntilGone: service.ports.some(({ PublishMode, PublishedPort }) => PublishMode === 'host' && PublishedPort),
  };
}

/** Any live task of another revision on a node that can be reached. */
function isDirty(slot: Slot, revision: number): boolean {
  return slot.live.some((task) => !task.lost && task.record.revision !== revision);
}

/** Finished for this revision; a paused one until the service is updated again, even with the same words. */
function isOver({ before, service, version }: RolloutInput): boolean {
  if (before?.revision !== service.revision) return false;
  if (before.state === 'completed' || before.state === 'rollback_completed') return true;
  return isPaused(before) && (before.specVersion === version || isScaled(service));
}

/** Of a service as it was created too, when its specification came back older than it was. */
function isUnderWay(before: RolloutRecord | undefined): boolean {
  return before !== undefined && STARTED.includes(before.state);
}

function isPaused({ state }: RolloutRecord): boolean {
  return state === 'paused' || state === 'rollback_paused';
}

/** The last change was one of the number of replicas and of nothing else: that resumes no update. */
function isScaled({ spec, previousSpec }: ServiceRecord): boolean {
  const withoutMode = (words: ServiceSpec | undefined) => ({ ...words, Mode: undefined });
  return !sameValue(spec.Mode, previousSpec?.Mode) && sameValue(withoutMode(spec), withoutMode(previousSpec));
}

/** Nothing begins any more; slots that turn up outdated after completion are simply replaced. */
function settled(before: RolloutRecord | undefined, dirty: readonly Slot[]): RolloutStep {
  const inWork = before && isPaused(before) ? workSet(before) : new Set(dirty.map((slot) => slot.key));
  return { record: before, inWork, rollBack: undefined, nextAtMs: undefined };
}

function workSet(record: RolloutRecord): ReadonlySet<string> {
  return new Set(Object.keys(record.slots));
}

function beginRecord(input: RolloutInput): RolloutRecord {
  const { before, service, version, now } = input;
  if (before?.revision === service.revision && STARTED.includes(before.state))
    return { ...before, specVersion: version };
  const isRollback = service.change === 'rollback';
  const wasDecided = isRollback && before?.state === 'rollback_started';
  return {
    v: 1,
    epoch: 0,
    serviceId: service.id,
    revision: service.revision,
    specVersion: version,
    state: isRollback ? 'rollback_started' : 'updating',
    message: wasDecided ? before.message : isRollback ? 'manually requested rollback' : 'update in progress',
    ...(wasDecided ? { cause: before.message } : {}),
    startedAtMs: now.wallMs,
    progressAtMs: now.wallMs,
    slots: takenOver(input),
  };
}

/**
 * Slots the roll-out before this one left at this revision but not ready yet: they are work of this one, or more replicas
 * would be missing than it may take away.
 */
function takenOver({ before, service, slots, now }: RolloutInput): RolloutRecord['slots'] {
  if (!before || (!STARTED.includes(before.state) && !isPaused(before))) return {};
  const begun = slots.flatMap((slot) => {
    const task = slot.live.find((candidate) => candidate.record.revision === service.revision && !candidate.lost);
    return task && !task.ready && before.slots[slot.key]
      ? [[slot.key, beginSlot(task.record.id, now, task)] as const]
      : [];
  });
  return Object.fromEntries(begun);
}

/** The record with what has happened to the slots in work since. */
function observe(record: RolloutRecord, input: RolloutInput, rules: ProgressRules): RolloutRecord {
  const slots: Record<string, SlotProgress> = {};
  for (const slot of input.slots) {
    const known = record.slots[slot.key];
    const rolledOut = rolledOutTask(slot, record);
    const { task } = rolledOut;
    const begun =
      known ?? (task && isDirty(slot, record.revision) ? beginSlot(task.record.id, input.now, task) : undefined);
    if (begun) slots[slot.key] = progressOf(begun, slot, rolledOut, input.now, rules);
  }
  const progressed = Object.entries(slots).some(([key, progress]) => progress.doneAtMs !== record.slots[key]?.doneAtMs);
  return { ...record, slots, progressAtMs: progressed ? input.now.wallMs : record.progressAtMs };
}

function rolledOutTask(slot: Slot, { revision, startedAtMs, progressAtMs }: RolloutRecord): RolledOutTask {
  const task = slot.live.find((candidate) => candidate.record.revision === revision);
  return { task, isNew: task !== undefined && task.record.createdAtMs >= startedAtMs, progressAtMs };
}

/** Too many failures: pause, or go back. */
function judge(
  record: RolloutRecord,
  input: RolloutInput,
  dirty: readonly Slot[],
  rules: ProgressRules,
): RolloutStep | undefined {
  if (rules.failureAction === 'continue') return undefined;
  const failures = Object.values(record.slots).filter((progress) => progress.failed);
  const total = new Set([...Object.keys(record.slots), ...dirty.map((slot) => slot.key)]).size;
  const [first] = failures;
  if (!first || failures.length / total <= rules.maxFailureRatio) return undefined;
  const isRollback = input.service.change === 'rollback';
  const mayGoBack = rules.failureAction === 'rollback' && !isRollback && hasEarlierRevision(input.service);
  const obstacle = mayGoBack ? input.obstacle() : undefined;
  if (mayGoBack && obstacle === undefined) {
    const message = `update rolled back due to ${causeOf(first, rules)}`;
    const next = { ...record, state: 'rollback_started', message } as const;
    return { record: next, inWork: workSet(record), rollBack: message, nextAtMs: undefined };
  }
  const what = isRollback && rules.failureAction === 'rollback' ? 'rollback' : 'update';
  const paused: RolloutRecord = {
    ...record,
    state: isRollback ? 'rollback_paused' : 'paused',
    message: `${what} paused due to ${causeOf(first, rules)}${obstacle ? `; not rolled back: ${obstacle}` : ''}`,
  };
  return { record: paused, inWork: workSet(paused), rollBack: undefined, nextAtMs: undefined };
}

/** Swarm's words, but for what Swarm does not know: a task that neither fails nor becomes ready. */
function causeOf({ taskId, overdue }: SlotProgress, { progressDeadlineMs: deadlineMs }: ProgressRules): string {
  if (!overdue) return `failure or early termination of task ${taskId}`;
  return `task ${taskId}, which was not ready after ${durationText(deadlineMs)} (${PROGRESS_DEADLINE_LABEL})`;
}

function hasEarlierRevision({ revision, revisions }: ServiceRecord): boolean {
  return revisions.some((known) => known.number !== revision);
}

/** Gives free workers their next slots; completes when there are none left, the last ones have been watched and the old tasks are gone. */
function advance(
  record: RolloutRecord,
  input: RolloutInput,
  dirty: readonly Slot[],
  rules: ProgressRules,
): RolloutStep {
  const { now } = input;
  const entries = Object.values(record.slots);
  const waiting = dirty.filter((slot) => record.slots[slot.key] === undefined);
  const busy = entries.filter((progress) => now.wallMs < busyUntil(progress, rules));
  const begun = nextSlots(waiting, busy.length, rules).map(
    (slot) => [slot.key, beginSlot(slot.nextTaskId, now)] as const,
  );
  const next = { ...record, slots: { ...record.slots, ...Object.fromEntries(begun) } };
  const unfinished =
    waiting.length > 0 ||
    entries.some((progress) => progress.doneAtMs === undefined) ||
    input.slots.some((slot) => record.slots[slot.key]?.failed === false && isLeaving(slot, record.revision));
  const watchedUntil = entries.map((progress) => watchEnds(progress, rules)).filter((endMs) => endMs > now.wallMs);
  if (!unfinished && watchedUntil.length === 0) return complete(next, input);
  const wakeUps = [
    ...watchedUntil,
    ...(waiting.length > begun.length ? busy.map((progress) => busyUntil(progress, rules)) : []),
    ...deadlinesOf(next, input, rules),
  ].filter(Number.isFinite);
  return {
    record: next,
    inWork: workSet(next),
    rollBack: undefined,
    nextAtMs: wakeUps.length === 0 ? undefined : Math.min(...wakeUps),
  };
}

/** Slots that serve nobody come first: they cost nothing; the others wait until no more are missing than may be. */
function nextSlots(waiting: readonly Slot[], busy: number, { parallelism }: ProgressRules): readonly Slot[] {
  if (parallelism === 0) return waiting;
  const serves = (slot: Slot) => slot.live.some((task) => task.ready);
  const missing = waiting.filter((slot) => !serves(slot));
  const free = Math.max(0, parallelism - busy);
  const freeForServing = Math.max(0, free - missing.length);
  return [...missing.slice(0, free), ...waiting.filter(serves).slice(0, freeForServing)];
}

function busyUntil({ doneAtMs }: SlotProgress, { delayMs }: ProgressRules): number {
  return doneAtMs === undefined ? Number.POSITIVE_INFINITY : doneAtMs + delayMs;
}

/** Of the slots whose new tasks are not ready yet. */
function deadlinesOf(record: RolloutRecord, { slots }: RolloutInput, rules: ProgressRules): number[] {
  return slots.flatMap((slot) => {
    const progress = record.slots[slot.key];
    const isOpen = progress && progress.readyAtMs === undefined && progress.doneAtMs === undefined;
    return isOpen ? [deadlineOf(progress, rolledOutTask(slot, record), rules)] : [];
  });
}

function watchEnds(progress: SlotProgress, rules: ProgressRules): number {
  if (progress.readyAtMs === undefined || rules.failureAction === 'continue') return 0;
  return progress.readyAtMs + rules.monitorMs;
}

function complete(record: RolloutRecord, { service, now }: RolloutInput): RolloutStep {
  const isRollback = service.change === 'rollback';
  return {
    record: {
      ...record,
      state: isRollback ? 'rollback_completed' : 'completed',
      message: isRollback ? 'rollback completed' : 'update completed',
      completedAtMs: now.wallMs,
    },
    inWork: workSet(record),
    rollBack: undefined,
    nextAtMs: undefined,
  };
}
