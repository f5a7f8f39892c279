/** What one plan changed about each service, as it is remembered. Pure. */
import type { PastChange, PastDecision } from '../../model/past.ts';
import type { PlacementTable } from '../../model/placement-table.ts';
import type { SlotRecord } from '../../model/slot-record.ts';
import type { Action } from '../plan/actions.ts';
import { slotKeyOf } from '../plan/slot.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** A message on the bus has its limit: of a service with more replicas a plan makes several. */
const MOST_CHANGES = 1_000;

type Tables = ReadonlyMap<string, PlacementTable>;

/** One decision for each service that `done` changed, bookkeeping left out. `before` is what the plan was made from. */
export function decisionsOf(done: readonly Action[], tables: Tables, before: Snapshot, atMs: number): PastDecision[] {
  const changes = new Map<string, PastChange[]>();
  const rollouts = new Map<string, NonNullable<PastDecision['rollout']>>();
  for (const action of done) {
    if (action.kind === 'put-rollout' && isNews(action, before)) {
      const { state, revision, message } = action.record;
      rollouts.set(action.key, { state, revision, message });
    }
    const change = changeOf(action, before);
    if (!change) continue;
    const known = changes.get(change.serviceId);
    if (known) known.push(change.change);
    else changes.set(change.serviceId, [change.change]);
  }
  const ids = new Set([...changes.keys(), ...rollouts.keys()]);
  return [...ids].flatMap((serviceId) => {
    const [table, rollout] = [tables.get(serviceId), rollouts.get(serviceId)];
    return pages(changes.get(serviceId) ?? []).map(
      (page): PastDecision => ({
        v: 1,
        serviceId,
        atMs,
        changes: page,
        ...(rollout && { rollout }),
        ...(table && page.some(isOfPlacement) && { table }),
      }),
    );
  });
}

function pages(changes: readonly PastChange[]): PastChange[][] {
  const count = Math.max(1, Math.ceil(changes.length / MOST_CHANGES));
  return Array.from({ length: count }, (_, page) => changes.slice(page * MOST_CHANGES, (page + 1) * MOST_CHANGES));
}

function isOfPlacement({ what }: PastChange): boolean {
  return what === 'placed' || what === 'waits';
}

function isNews({ key, record }: Extract<Action, { kind: 'put-rollout' }>, { rollouts }: Snapshot): boolean {
  const known = rollouts.get(key)?.value;
  return known?.state !== record.state || known.revision !== record.revision || known.message !== record.message;
}

interface ServiceChange {
  readonly serviceId: string;
  readonly change: PastChange;
}

function changeOf(action: Action, before: Snapshot): ServiceChange | undefined {
  switch (action.kind) {
    case 'create-task':
      return taskChange(action, 'placed');
    case 'update-task': {
      const known = before.tasks.get(action.record.id)?.value;
      if (action.record.desired === 'stopped') return taskChange(action, 'stopped');
      const isRestart = action.record.replaceAttempt > (known?.replaceAttempt ?? 0);
      return isRestart ? taskChange(action, 'restarted') : undefined;
    }
    case 'delete-task':
      return action.record.desired === 'stopped' ? undefined : taskChange(action, 'stopped');
    case 'put-slot':
      return slotChange(action.record, before.slots.get(action.key)?.value);
    default:
      return undefined;
  }
}

type TaskAction = Extract<Action, { kind: 'create-task' | 'update-task' | 'delete-task' }>;

function taskChange({ record, reason }: TaskAction, what: PastChange['what']): ServiceChange {
  const { id: taskId, serviceId, nodeId, revision } = record;
  return { serviceId, change: { slot: slotKeyOf(record), taskId, nodeId, revision, what, reason } };
}

/** A slot that begins to wait, waits for another reason, or is given up. */
function slotChange(record: SlotRecord, known: SlotRecord | undefined): ServiceChange | undefined {
  const { serviceId, pending } = record;
  if (pending?.reason === known?.pending?.reason) return undefined;
  const slot = record.slot === 0 ? (record.nodeId ?? '') : String(record.slot);
  if (pending) {
    const { reason, revision } = pending;
    return { serviceId, change: { slot, revision, what: 'waits', reason } };
  }
  const isPlaced = record.tasksMade > (known?.tasksMade ?? 0);
  return isPlaced ? undefined : { serviceId, change: { slot, what: 'waits no more', reason: 'no longer wanted' } };
}
