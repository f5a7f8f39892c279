/** A task with all that is known of it on this node. */
import type { TaskRecord } from '../model/task-record.ts';
import type { ObservedContainer } from './plan/observed-container.ts';
import type { Permit } from './plan/permit.ts';
import type { Step } from './plan/step.ts';
import type { TaskMemory } from './plan/task-memory.ts';
import { StepPace } from './step-pace.ts';

/** As others see it. */
export interface SupervisedTask {
  readonly record: TaskRecord;
  readonly orphaned: boolean;
  readonly memory: TaskMemory | undefined;
  readonly containers: readonly ObservedContainer[];
}

/** As its supervisor keeps it. */
export interface TaskEntry {
  record: TaskRecord;
  orphaned: boolean;
  memory: TaskMemory | undefined;
  containers: Map<string, ObservedContainer>;
  /** The step in work or waiting for its turn. */
  job: { readonly kind: Step['kind']; readonly abort: AbortController } | undefined;
  timer: AbortController | undefined;
  readonly pace: StepPace;
  /** As of the last plan; one that has expired stays so until the task is over, though the leader be heard again. */
  permit: Permit;
  /** Counts looks at the engine, so that an older full list does not overwrite a newer look. */
  looks: number;
}

/** One of which nothing is known yet but its record and its containers. */
export function newTaskEntry(record: TaskRecord, containers: readonly ObservedContainer[]): TaskEntry {
  return {
    record,
    orphaned: false,
    memory: undefined,
    containers: new Map(containers.map((container) => [container.id, container])),
    job: undefined,
    timer: undefined,
    pace: new StepPace(),
    permit: 'unknown',
    looks: 0,
  };
}
