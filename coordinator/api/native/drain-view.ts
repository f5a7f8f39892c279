/** What still runs on a node that is drained, and what each task waits for. Pure. */
import type { DrainProgress } from '../../../model/drain-progress.ts';
import type { StatusRecord } from '../../../model/status-record.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { nodeName } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { taskName } from './task-name.ts';

export function drainProgress(snapshot: Snapshot, nodeId: string): DrainProgress {
  const tasks = [...snapshot.tasks.values()].map(({ value }) => value);
  const left = tasks.filter((task) => task.nodeId === nodeId && isThere(task, statusOf(snapshot, task)));
  return {
    id: nodeId,
    node: nodeName(snapshot, nodeId),
    draining: snapshot.nodeSpecs.get(nodeId)?.value.availability === 'drain',
    left: left
      .map((task) => ({ task: taskName(snapshot, task, nodeId), waitsFor: waitsFor(snapshot, task, tasks) }))
      .sort((a, b) => a.task.localeCompare(b.task, 'en', { numeric: true })),
    homeless: homelessSlots(snapshot, nodeId),
  };
}

function statusOf(snapshot: Snapshot, { id }: TaskRecord): StatusRecord | undefined {
  return snapshot.statuses.get(id)?.value;
}

/** What its restart policy is done with stays where it ended, and needs nothing of the node. */
function isThere({ desired }: TaskRecord, status: StatusRecord | undefined): boolean {
  if (desired === 'stopped') return status?.removed !== true;
  return !(status?.final && !status.revoked);
}

function waitsFor(snapshot: Snapshot, task: TaskRecord, tasks: readonly TaskRecord[]): string {
  const liveness = snapshot.liveness.get(task.nodeId)?.state;
  if (liveness !== 'ready') return `its node to be heard of again (it is ${liveness ?? 'unknown'})`;
  if (task.desired === 'stopped') return 'its end: it was told to stop';
  const follower = tasks.find((other) => isFollower(other, task));
  if (!follower) return 'its turn: no more of its service may be taken away now, or the leader has not come to it';
  const status = statusOf(snapshot, follower);
  const place = `on ${nodeName(snapshot, follower.nodeId)}`;
  const words = [status?.state ?? 'assigned', status?.error ?? status?.unreadyBecause].filter(Boolean).join(': ');
  return `the task that follows it ${place} to be ready (${words})`;
}

function isFollower(other: TaskRecord, task: TaskRecord): boolean {
  const isSameSlot = other.serviceId === task.serviceId && other.slot === task.slot && task.slot > 0;
  return isSameSlot && other.nodeId !== task.nodeId && other.desired !== 'stopped';
}

/** Slots that wait for a place and were on this node last. */
function homelessSlots(snapshot: Snapshot, nodeId: string): DrainProgress['homeless'] {
  return [...snapshot.slots.values()].flatMap(({ value: slot }) => {
    const wasHere = slot.assigned.some((task) => task.nodeId === nodeId) || slot.history.at(-1)?.nodeId === nodeId;
    if (!slot.pending || !wasHere || slot.slot === 0) return [];
    return [{ task: taskName(snapshot, slot, slot.nodeId), reason: slot.pending.reason }];
  });
}
