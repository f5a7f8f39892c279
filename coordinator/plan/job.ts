/**
 * Which slots of a job should have a task now. A run of a job is a revision of its service: tasks of earlier ones go at
 * once, and a slot that has ended with 0 at this revision never runs again, whatever becomes of its records or its node.
 */
import { replicatedJobRules } from '../../model/jobs.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { Slot, SlotTask } from './slot.ts';

export interface JobStep {
  /** Slots of this run, ended ones included: what they have stays. */
  readonly slots: ReadonlySet<string>;
  /** Those that should have a task that runs. */
  readonly inWork: ReadonlySet<string>;
  /** Slots that have ended with 0. */
  readonly completed: ReadonlySet<string>;
}

/**
 * One step of a job: ends what belongs to an earlier run, notes what completed, and picks the slots to work on.
 * `nodeKeys` are the slots a global job should have; a replicated one has its numbers.
 */
export function stepJob(service: ServiceRecord, slots: Iterable<Slot>, nodeKeys: ReadonlySet<string>): JobStep {
  const own = [...slots];
  for (const slot of own) endEarlierRuns(slot, service.revision);
  const completed = new Set(own.filter((slot) => noteCompletion(slot, service.revision)).map(({ key }) => key));
  const failed = new Set(own.filter((slot) => hasFailed(slot, service.revision)).map(({ key }) => key));
  const isOver = (key: string) => completed.has(key) || failed.has(key);
  const rules = replicatedJobRules(service.spec);
  if (!rules) {
    const inWork = new Set([...nodeKeys].filter((key) => !isOver(key)));
    return { slots: new Set([...nodeKeys, ...completed]), inWork, completed };
  }
  const keys = Array.from({ length: rules.completions }, (_, index) => String(index + 1));
  const open = keys.filter((key) => !isOver(key));
  const begun = new Set(own.filter((slot) => slot.isTaken).map(({ key }) => key));
  const begunFirst = [...open.filter((key) => begun.has(key)), ...open.filter((key) => !begun.has(key))];
  return { slots: new Set(keys), inWork: new Set(begunFirst.slice(0, rules.concurrent)), completed };
}

function endEarlierRuns(slot: Slot, revision: number): void {
  for (const task of slot.live) {
    if (task.record.revision !== revision) slot.stopTask(task, 'a new run of the job began');
  }
}

/** True when the slot has completed; written down, so that it is known when its task is not any more. */
function noteCompletion(slot: Slot, revision: number): boolean {
  const [first] = slot.tasks
    .filter((task) => task.record.revision === revision && isComplete(task))
    .sort((a, b) => (a.status?.changedAtMs ?? 0) - (b.status?.changedAtMs ?? 0));
  if (!first && slot.current.completedRevision !== revision) return false;
  const reason = 'this slot of the job is complete';
  slot.amend({ completedRevision: revision, pending: undefined, surge: undefined }, reason);
  for (const task of slot.live) if (task !== first) slot.stopTask(task, reason);
  return true;
}

function isComplete({ status }: SlotTask): boolean {
  return status?.state === 'complete';
}

/** Its restart policy allows no further attempt: the slot stays as it is until the job is run again. A revoked task goes on. */
function hasFailed(slot: Slot, revision: number): boolean {
  const tasks = slot.live.filter((task) => task.record.revision === revision);
  return tasks.length > 0 && tasks.every(({ status }) => status?.final === true && status.revoked !== true);
}
