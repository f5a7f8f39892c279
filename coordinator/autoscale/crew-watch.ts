/** What the replicas of services that scale themselves do: since when each has been ready and what it used lately. No I/O. */
import type { TaskUsage } from '../../model/messages.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { groupBy } from '../../runtime/group-by.ts';
import { slotKeyOf } from '../plan/slot.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { HeardUsage } from '../usage/usage-book.ts';
import type { Replica } from './measurement.ts';

/** Two seconds of a processor jump about: what counts is the mean of so many readings, which are that old at the most. */
const READINGS = 3;
const OLDEST_READING_MS = 8_000;

interface Reading {
  readonly heardAtMs: number;
  readonly usage: TaskUsage;
}

interface TaskMemory {
  readonly attempt: number;
  readonly readySinceMs: number | undefined;
  readonly readings: readonly Reading[];
}

/** One leader's watching; times on the elapsed clock. */
export class CrewWatch {
  private memory: ReadonlyMap<string, TaskMemory> = new Map();
  private isFirst = true;

  /** Looks at the tasks of `services`; answers their replicas, by service id. */
  look(
    snapshot: Snapshot,
    heard: ReadonlyMap<string, HeardUsage>,
    services: ReadonlySet<string>,
    nowMs: number,
  ): ReadonlyMap<string, readonly Replica[]> {
    const tasks = [...snapshot.tasks.values()]
      .map(({ value }) => value)
      .filter(({ serviceId, desired }) => services.has(serviceId) && desired !== 'stopped');
    const readings = readingsOf(heard, new Map(tasks.map(({ id, nodeId }) => [id, nodeId])));
    const memory = new Map(tasks.map((task) => [task.id, this.remember(task, snapshot, readings.get(task.id), nowMs)]));
    this.memory = memory;
    this.isFirst = false;
    const byService = groupBy(tasks, ({ serviceId }) => serviceId);
    return new Map([...byService].map(([id, own]) => [id, replicasOf(own, memory, nowMs)]));
  }

  private remember(task: TaskRecord, snapshot: Snapshot, reading: Reading | undefined, nowMs: number): TaskMemory {
    const status = snapshot.statuses.get(task.id)?.value;
    const attempt = status?.attempt ?? 0;
    const known = this.memory.get(task.id);
    const before = known?.attempt === attempt ? known : undefined;
    const isReady = status?.ready === true && snapshot.liveness.get(task.nodeId)?.state !== 'lost';
    // What a new leader finds ready has been so for long, as far as it knows.
    const sinceMs = before?.readySinceMs ?? (this.isFirst ? Number.NEGATIVE_INFINITY : nowMs);
    return {
      attempt,
      readySinceMs: isReady ? sinceMs : undefined,
      readings: withReading(before?.readings ?? [], reading, nowMs),
    };
  }
}

/** By task; what a node says of tasks that are not its own is not believed. `nodes` are those of the tasks. */
function readingsOf(
  heard: ReadonlyMap<string, HeardUsage>,
  nodes: ReadonlyMap<string, string>,
): ReadonlyMap<string, Reading> {
  const readings = new Map<string, Reading>();
  for (const [nodeId, { heardAtMs, usage }] of heard) {
    for (const task of usage.tasks) {
      if (nodes.get(task.taskId) === nodeId) readings.set(task.taskId, { heardAtMs, usage: task });
    }
  }
  return readings;
}

function withReading(before: readonly Reading[], reading: Reading | undefined, nowMs: number): readonly Reading[] {
  const isNew = reading !== undefined && reading.heardAtMs !== before.at(-1)?.heardAtMs;
  const all = isNew ? [...before, reading] : before;
  return all.filter(({ heardAtMs }) => nowMs - heardAtMs <= OLDEST_READING_MS).slice(-READINGS);
}

/** One a slot: while it is updated two tasks may share its load. */
function replicasOf(tasks: readonly TaskRecord[], memory: ReadonlyMap<string, TaskMemory>, nowMs: number): Replica[] {
  return [...groupBy(tasks, slotKeyOf).values()].map((ofSlot) => {
    const ready = ofSlot.flatMap(({ id }) => {
      const known = memory.get(id);
      return known?.readySinceMs === undefined ? [] : [{ sinceMs: known.readySinceMs, readings: known.readings }];
    });
    if (ready.length === 0) return { readyForMs: undefined };
    const used = (amountOf: (usage: TaskUsage) => number | undefined) =>
      sum(ready.map(({ readings }) => mean(readings.map(({ usage }) => amountOf(usage)))));
    return {
      readyForMs: nowMs - Math.min(...ready.map(({ sinceMs }) => sinceMs)),
      cpu: used(({ cpuCores }) => cpuCores),
      memory: used(({ memoryBytes }) => memoryBytes),
      connections: used(({ connectionsPerSecond }) => connectionsPerSecond),
    };
  });
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0) / known.length;
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}
