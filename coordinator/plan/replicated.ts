/** Which slots a replicated service should have. */
import type { Slot, SlotTask } from './slot.ts';

/** The slot numbers of `replicas` slots: those there are, minus victims as Swarm chooses them, plus the lowest free numbers. Pure. */
export function wantedReplicas(slots: readonly Slot[], replicas: number): ReadonlySet<string> {
  const occupied = slots.filter(isOccupied);
  if (occupied.length > replicas) return keysOf(survivors(occupied, replicas));
  const wanted = new Set(keysOf(occupied));
  for (let number = 1; wanted.size < replicas; number += 1) wanted.add(String(number));
  return wanted;
}

function isOccupied(slot: Slot): boolean {
  return slot.number > 0 && (slot.isTaken || slot.isPending);
}

function keysOf(slots: readonly Slot[]): ReadonlySet<string> {
  return new Set(slots.map((slot) => slot.key));
}

/**
 * Scaling down takes slots from the nodes with most copies first, not running ones before running ones, high numbers
 * before low ones (swarmkit manager/orchestrator/replicated/services.go).
 */
function survivors(slots: readonly Slot[], replicas: number): readonly Slot[] {
  const ordered = [...slots].sort((a, b) => unrest(a) - unrest(b) || a.number - b.number);
  const copies = new Map<string, number>();
  const ranked = ordered.map((slot) => ({ slot, rank: nthCopy(slot, copies) }));
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, replicas)
    .map(({ slot }) => slot);
}

/** 1 for the first copy on a node, 2 for the second ...; slots without a place come last. */
function nthCopy(slot: Slot, copies: Map<string, number>): number {
  const task = mainTask(slot);
  if (!task) return Number.POSITIVE_INFINITY;
  const count = (copies.get(task.record.nodeId) ?? 0) + 1;
  copies.set(task.record.nodeId, count);
  return count;
}

function unrest(slot: Slot): number {
  const task = mainTask(slot);
  if (!task || task.lost) return 3;
  if (task.status?.ready) return 0;
  return task.status?.state === 'running' ? 1 : 2;
}

function mainTask(slot: Slot): SlotTask | undefined {
  return slot.live.find((task) => !task.lost) ?? slot.live[0];
}
