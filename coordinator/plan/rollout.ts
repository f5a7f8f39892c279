/**
 * How far an update may go now: which slots are in work, which may begin, whether it failed or is done. The rules are
 * swarmkit's updater's (manager/orchestrator/update): `parallelism` workers, each waits `delay` after its slot; a new task
 * that fails before it is ready or within `monitor` after counts as one failure.
 */
import type { RolloutRecord, ServiceRecord } from '../../model/records.ts';
import { type UpdateRules, updateRules } from '../../model/service-defaults.ts';
import type { Moment } from './actions.ts';
import type { Slot, SlotTask } from './slot.ts';

type SlotProgress = RolloutRecord['slots'][string];

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
  readonly now: Moment;
}

const STARTED = ['updating', 'rollback_started'];

/** One step of the roll-out of a service's current revision. Pure: the same input gives the same step. */
export function stepRollout(input: RolloutInput): RolloutStep {
  const dirty = input.slots.filter((slot) => isDirty(slot, input.service.revision));
  if (isOver(input)) return settled(input.before, dirty);
  if (input.service.change === 'create' && dirty.length === 0) return settled(input.before, []);
  const rules = rulesOf(input.service);
  const observed = observe(beginRecord(input), input, rules);
  return judge(observed, input, dirty, rules) ?? advance(observed, input, dirty, rules);
}

function rulesOf(service: ServiceRecord): UpdateRules {
  return updateRules(service.change === 'rollback' ? service.spec.RollbackConfig : service.spec.UpdateConfig);
}

/** Any live task of another revision on a node that can be reached. */
function isDirty(slot: Slot, revision: number): boolean {
  return slot.live.some((task) => !task.lost && task.record.revision !== revision);
}

/** Finished for this revision; a paused one only until the service is touched again. */
function isOver({ before, service, version }: RolloutInput): boolean {
  if (before?.revision !== service.revision) return false;
  if (before.state === 'completed' || before.state === 'rollback_completed') return true;
  return (before.state === 'paused' || before.state === 'rollback_paused') && before.specVersion === version;
}

/** Nothing begins any more; slots that turn up outdated after completion are simply replaced. */
function settled(before: RolloutRecord | undefined, dirty: readonly Slot[]): RolloutStep {
  const paused = before?.state === 'paused' || before?.state === 'rollback_paused';
  const inWork = paused ? workSet(before) : new Set(dirty.map((slot) => slot.key));
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
    startedAtMs: now.wallMs,
    progressAtMs: now.wallMs,
    slots: {},
  };
}

/** The record with what has happened to the slots in work since. */
function observe(record: RolloutRecord, input: RolloutInput, rules: UpdateRules): RolloutRecord {
  const slots: Record<string, SlotProgress> = {};
  for (const slot of input.slots) {
    const known = record.slots[slot.key];
    const task = slot.live.find((candidate) => candidate.record.revision === record.revision);
    const begun = known ?? (task && isDirty(slot, record.revision) ? begin(task.record.id, input.now) : undefined);
    const isNew = task !== undefined && task.record.createdAtMs >= record.startedAtMs;
    if (begun) slots[slot.key] = progressOf(begun, slot, { task, isNew }, input.now, rules);
  }
  const progressed = Object.entries(slots).some(([key, progress]) => progress.doneAtMs !== record.slots[key]?.doneAtMs);
  return { ...record, slots, progressAtMs: progressed ? input.now.wallMs : record.progressAtMs };
}

function begin(taskId: string, now: Moment): SlotProgress {
  return { taskId, startedAtMs: now.wallMs, failed: false };
}

function progressOf(
  before: SlotProgress,
  slot: Slot,
  { task, isNew }: { readonly task: SlotTask | undefined; readonly isNew: boolean },
  now: Moment,
  rules: UpdateRules,
): SlotProgress {
  const known = notAheadOf(before, now);
  const readyAtMs = known.readyAtMs ?? (task?.ready ? now.wallMs : undefined);
  const watched = readyAtMs === undefined || now.wallMs < readyAtMs + rules.monitorMs;
  const failed = known.failed || (watched && task !== undefined && (isDown(task) || (isNew && hasEnded(task))));
  const isReplaced = readyAtMs !== undefined && slot.tasks.every((old) => old === task || old.gone || old.lost);
  const doneAtMs = known.doneAtMs ?? (isReplaced || failed ? now.wallMs : undefined);
  return {
    ...known,
    taskId: task?.record.id ?? known.taskId,
    failed,
    ...(readyAtMs === undefined ? {} : { readyAtMs }),
    ...(doneAtMs === undefined ? {} : { doneAtMs }),
  };
}

/** Clocks may be set back, and those of two leaders differ: nothing then waits for a time that is far ahead. */
function notAheadOf(known: SlotProgress, now: Moment): SlotProgress {
  const { readyAtMs, doneAtMs } = known;
  return {
    ...known,
    ...(readyAtMs === undefined ? {} : { readyAtMs: Math.min(readyAtMs, now.wallMs) }),
    ...(doneAtMs === undefined ? {} : { doneAtMs: Math.min(doneAtMs, now.wallMs) }),
  };
}

function isDown({ status }: SlotTask): boolean {
  if (!status) return false;
  return status.final || status.state === 'failed' || status.state === 'rejected' || status.health === 'unhealthy';
}

/** Any end of a run counts, exit 0 too: of a task made for this roll-out, not of one that was there before it. */
function hasEnded({ status, record }: SlotTask): boolean {
  if (!status) return false;
  return status.exits.length > 0 || status.restarts > 0 || status.failures > record.priorFailures;
}

/** Too many failures: pause, or go back. */
function judge(
  record: RolloutRecord,
  input: RolloutInput,
  dirty: readonly Slot[],
  rules: UpdateRules,
): RolloutStep | undefined {
  if (rules.failureAction === 'continue') return undefined;
  const failures = Object.values(record.slots).filter((progress) => progress.failed);
  const total = new Set([...Object.keys(record.slots), ...dirty.map((slot) => slot.key)]).size;
  const [first] = failures;
  if (!first || failures.length / total <= rules.maxFailureRatio) return undefined;
  const isRollback = input.service.change === 'rollback';
  if (rules.failureAction === 'rollback' && !isRollback && hasEarlierRevision(input.service)) {
    const message = `update rolled back due to failure or early termination of task ${first.taskId}`;
    return {
      record: { ...record, state: 'rollback_started', message },
      inWork: workSet(record),
      rollBack: message,
      nextAtMs: undefined,
    };
  }
  const paused: RolloutRecord = {
    ...record,
    state: isRollback ? 'rollback_paused' : 'paused',
    message: `update paused due to failure or early termination of task ${first.taskId}`,
  };
  return { record: paused, inWork: workSet(paused), rollBack: undefined, nextAtMs: undefined };
}

function hasEarlierRevision({ revision, revisions }: ServiceRecord): boolean {
  return revisions.some((known) => known.number !== revision);
}

/** Gives free workers their next slots; completes when there are none left and the last ones have been watched. */
function advance(record: RolloutRecord, input: RolloutInput, dirty: readonly Slot[], rules: UpdateRules): RolloutStep {
  const { now } = input;
  const entries = Object.values(record.slots);
  const busyUntil = (progress: SlotProgress) =>
    progress.doneAtMs === undefined ? Number.POSITIVE_INFINITY : progress.doneAtMs + rules.delayMs;
  const busy = entries.filter((progress) => now.wallMs < busyUntil(progress));
  const waiting = dirty.filter((slot) => record.slots[slot.key] === undefined);
  const free = rules.parallelism === 0 ? waiting.length : Math.max(0, rules.parallelism - busy.length);
  const begun = waiting.slice(0, free).map((slot) => [slot.key, begin(slot.nextTaskId, now)] as const);
  const next = { ...record, slots: { ...record.slots, ...Object.fromEntries(begun) } };
  const unfinished = waiting.length > 0 || entries.some((progress) => progress.doneAtMs === undefined);
  const watchedUntil = entries.map((progress) => watchEnds(progress, rules)).filter((endMs) => endMs > now.wallMs);
  if (!unfinished && watchedUntil.length === 0) return complete(next, input);
  const wakeUps = [...watchedUntil, ...(waiting.length > begun.length ? busy.map(busyUntil) : [])].filter(
    Number.isFinite,
  );
  return {
    record: next,
    inWork: workSet(next),
    rollBack: undefined,
    nextAtMs: wakeUps.length === 0 ? undefined : Math.min(...wakeUps),
  };
}

function watchEnds(progress: SlotProgress, rules: UpdateRules): number {
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
