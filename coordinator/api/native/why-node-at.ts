/** How a node was at an earlier time, from its events and from the tasks that are known to have been there. */
import { eventStream } from '../../../bus/bucket-definitions.ts';
import { subjects } from '../../../bus/subjects.ts';
import { ClusterEvent } from '../../../model/messages.ts';
import type { WhyAnswer, WhyPart } from '../../../model/native-api.ts';
import type { NodeSpecRecord } from '../../../model/node-record.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { nodeName } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { isoTime } from '../docker/dates.ts';
import { durationWords } from './duration-words.ts';
import { exitReason } from './exit-reason.ts';
import type { PastQuestion } from './past-question.ts';
import { taskName } from './task-name.ts';

const DAY_MS = 24 * 3_600_000;

/** Throws `not-found` for a time before the node was let in. */
export async function explainNodeAt(spec: NodeSpecRecord, { snapshot, bus, atMs }: PastQuestion): Promise<WhyAnswer> {
  const name = nodeName(snapshot, spec.id);
  if (atMs < spec.createdAtMs) {
    const message = `${name} was not there at ${isoTime(atMs)}: it was let in at ${isoTime(spec.createdAtMs)}`;
    throw new PlimsollError('not-found', message);
  }
  const events = await bus.stored(subjects.event('node', spec.id), ClusterEvent);
  const oldestMs = Math.min(...events.map((event) => event.atMs));
  const known = Number.isFinite(oldestMs) ? `, the oldest known is of ${isoTime(oldestMs)}` : '';
  const kept = `what happens to nodes is kept for ${eventStream.maxAgeMs / DAY_MS} days${known}`;
  return {
    kind: 'node',
    id: spec.id,
    name,
    facts: [
      `as it was at ${isoTime(atMs)}; ${kept}`,
      valueThen('state', events, atMs) ?? 'its state then is not remembered',
      valueThen('availability', events, atMs) ?? availabilityUnlessChanged(spec, atMs),
    ],
    parts: tasksThen(snapshot, spec.id, atMs),
  };
}

/** By the last change before that time, or the first after it. */
function valueThen(what: 'state' | 'availability', events: readonly ClusterEvent[], atMs: number): string | undefined {
  const changes = events.filter(({ attributes }) => attributes[`${what}.new`] !== undefined);
  const last = changes.findLast((event) => event.atMs <= atMs);
  if (last) {
    const { [`${what}.new`]: value, reason } = last.attributes;
    const words = reason && what === 'state' ? `: ${reason}` : '';
    return `${what} ${value} since ${durationWords(atMs - last.atMs)}${words}`;
  }
  const [next] = changes;
  return next && `${what} ${next.attributes[`${what}.old`] ?? 'unknown'}`;
}

function availabilityUnlessChanged({ availability, updatedAtMs }: NodeSpecRecord, atMs: number): string {
  return updatedAtMs <= atMs ? `availability ${availability}` : 'its availability then is not remembered';
}

/** Tasks that are still there, and those of which a slot's history tells. */
function tasksThen(snapshot: Snapshot, nodeId: string, atMs: number): WhyPart[] {
  const node = nodeName(snapshot, nodeId);
  const present = [...snapshot.tasks.values()].flatMap(({ value: task }): WhyPart[] => {
    if (task.nodeId !== nodeId || task.createdAtMs > atMs) return [];
    const ends = snapshot.statuses.get(task.id)?.value.exits.filter(({ finishedAtMs }) => finishedAtMs <= atMs) ?? [];
    const last = ends.at(-1);
    const reason = last ? `had ended before, last: ${exitReason(last)}` : '';
    return [
      {
        name: taskName(snapshot, task, nodeId),
        state: `since ${durationWords(atMs - task.createdAtMs)}`,
        node,
        reason,
      },
    ];
  });
  const past = [...snapshot.slots.values()].flatMap(({ value: slot }) =>
    slot.history
      .filter((entry) => entry.nodeId === nodeId && entry.createdAtMs <= atMs && atMs < entry.finishedAtMs)
      .map((entry): WhyPart => {
        const state = `${entry.state} ${durationWords(entry.finishedAtMs - atMs)} after`;
        return { name: taskName(snapshot, slot, slot.nodeId), state, node, reason: entry.error };
      }),
  );
  return [...present, ...past].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}
