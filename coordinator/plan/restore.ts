/**
 * Writes assignments again that were lost from their bucket, under the same id on the same node: the agent there adopts
 * the container it already has. A slot's own record tells what was assigned; where that is lost too, the agents' status
 * and the orphans they report do.
 */
import type { TaskRecord } from '../../model/task-record.ts';
import type { Moment } from './actions.ts';
import type { PlanNode } from './nodes.ts';
import { rememberedTally } from './restart-tally.ts';
import type { Slot } from './slot.ts';
import { taskBody } from './vacancies.ts';

/**
 * A node may say any number. One further ahead of the service's than this is taken for this: the next update counts on from
 * it, and numbers must not run out.
 */
const REVISIONS_AHEAD = 10_000;

/** A container (or an intended one) known to belong to a slot, without an assignment. */
export interface Trace {
  readonly taskId: string;
  readonly nodeId: string;
  readonly revision: number;
  /** The generic resources it was given. */
  readonly generic?: TaskRecord['generic'];
}

/**
 * Restores the slot's lost assignments: as running where the slot has nothing else at that revision, else as stopped.
 * Of a surge, or where a node is lost, both run on: which of them goes is decided when both are known.
 */
export function restoreLost(
  slot: Slot,
  traces: readonly Trace[],
  isWanted: boolean,
  nodes: ReadonlyMap<string, PlanNode>,
  now: Moment,
): void {
  const known = new Set(slot.tasks.map((task) => task.record.id));
  const present = slot.live.filter((task) => !task.lost);
  const revisionsTaken = new Set(present.map((task) => task.record.revision));
  const isSurging = slot.current.surge !== undefined;
  const assigned = new Set(slot.current.assigned.map(({ taskId }) => taskId));
  for (const trace of [...slot.current.assigned, ...traces.map((each) => plausible(each, slot))]) {
    const node = nodes.get(trace.nodeId);
    if (known.has(trace.taskId) || !node || node.removed) continue;
    known.add(trace.taskId);
    const runs = isWanted && (isSurging || node.lost || !revisionsTaken.has(trace.revision));
    if (runs && !node.lost) revisionsTaken.add(trace.revision);
    const { taskId: id, generic } = trace;
    const prior = rememberedTally(slot.current, trace.revision);
    slot.restoreTask({
      ...bodyOf(slot, trace, now),
      ...(generic && { generic }),
      ...(prior && { priorRestarts: prior }),
      ...(!assigned.has(id) && { claimed: true }),
      id,
      priorFailures: 0,
      ...wishFor(runs, slot),
    });
  }
}

function plausible(trace: Trace, { service }: Slot): Trace {
  return { ...trace, revision: Math.min(trace.revision, service.revision + REVISIONS_AHEAD) };
}

function wishFor(runs: boolean, slot: Slot): Pick<TaskRecord, 'desired' | 'reason'> {
  if (!runs) return { desired: 'stopped', reason: 'a container nobody wants any more was found' };
  const alone = slot.tasks.every((task) => task.gone || task.lost);
  return { desired: alone ? 'running' : 'ready', reason: 'its assignment was missing and is written again' };
}

/**
 * The task as its revision described it. Of a revision that the service does not know (its specification came back older
 * than it was) nobody knows that any more: its number alone makes it an outdated task, replaced as any other one is.
 */
function bodyOf({ service, number }: Slot, { revision, nodeId }: Trace, now: Moment): ReturnType<typeof taskBody> {
  if (revision === service.revision) return taskBody(service, number, nodeId, now);
  const known = service.revisions.find((candidate) => candidate.number === revision);
  const TaskTemplate = known?.taskTemplate ?? service.spec.TaskTemplate;
  return taskBody({ ...service, revision, spec: { ...service.spec, TaskTemplate } }, number, nodeId, now);
}
