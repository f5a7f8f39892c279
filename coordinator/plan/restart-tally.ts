/**
 * Restarts follow a slot from node to node: a task that takes another's place goes on counting where that one was, so that
 * `MaxAttempts` means the slot, as in Swarm. Moves are no restarts, but for that away from a node where it kept failing.
 */

import type { RestartTally } from '../../model/restart-tally.ts';
import { restartRules } from '../../model/service-defaults.ts';
import type { TaskTemplate } from '../../model/service-spec.ts';
import type { SlotRecord } from '../../model/slot-record.ts';
import type { Moment } from './actions.ts';
import type { Slot, SlotTask } from './slot.ts';

const TIMES_KEPT = 100;
const NONE: RestartTally = { count: 0, atMs: [] };

/** What the slot's next task has to count as its own; undefined where nothing is limited or nothing has happened. */
export function tallyForNext(slot: Slot, mover: SlotTask | undefined, now: Moment): RestartTally | undefined {
  const { revision, spec } = slot.service;
  if (!isLimited(spec.TaskTemplate)) return undefined;
  const own = slot.tasks.filter(({ record }) => record.revision === revision).map(tallyOf);
  const known = own.reduce(joined, rememberedTally(slot.current, revision) ?? NONE);
  const tally = mover ? { count: known.count + 1, atMs: [...known.atMs, now.wallMs].slice(-TIMES_KEPT) } : known;
  return tally.count > 0 ? tally : undefined;
}

/** What the slot's record remembers of tasks at a revision. */
export function rememberedTally(
  { restarts }: Pick<SlotRecord, 'restarts'>,
  revision: number,
): RestartTally | undefined {
  return restarts?.revision === revision ? { count: restarts.count, atMs: restarts.atMs } : undefined;
}

/** The slot's record with what a task that is forgotten has counted. */
export function withTallyOf(slot: Slot, task: SlotTask): Pick<SlotRecord, 'restarts'> {
  const { revision } = slot.service;
  const { restarts } = slot.current;
  if (task.record.revision !== revision || !isLimited(task.record.template)) return { restarts };
  const tally = joined(rememberedTally(slot.current, revision) ?? NONE, tallyOf(task));
  return tally.count > 0 ? { restarts: { revision, ...tally } } : { restarts };
}

function isLimited({ RestartPolicy }: TaskTemplate): boolean {
  return restartRules(RestartPolicy).maxAttempts > 0;
}

function tallyOf({ record: { priorRestarts = NONE }, status }: SlotTask): RestartTally {
  const count = priorRestarts.count + (status?.restarts ?? 0);
  return { count, atMs: [...priorRestarts.atMs, ...(status?.restartedAtMs ?? [])] };
}

/** Each task counts on from the one before it: the highest count is that of all of them. */
function joined(a: RestartTally, b: RestartTally): RestartTally {
  const atMs = [...new Set([...a.atMs, ...b.atMs])].sort((one, other) => one - other);
  return { count: Math.max(a.count, b.count), atMs: atMs.slice(-TIMES_KEPT) };
}
