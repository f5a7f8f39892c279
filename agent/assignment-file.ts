/** `<state-dir>/node/assignments.json`: what this node was last asked to do, so that a boot without the bus still does it. */
import { join } from 'node:path';
import { z } from 'zod';
import { restartRules } from '../model/service-defaults.ts';
import { TaskRecord } from '../model/task-record.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { JsonFiles } from '../runtime/files.ts';
import type { Log } from '../runtime/log.ts';
import { Poke, runLoop } from '../runtime/loop.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { TaskMemory } from './plan/task-memory.ts';
import type { SupervisedTask } from './supervised-task.ts';

const WRITE_GAP_MS = 250;
const REWRITE_MS = 60_000;
const RETRY_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;

const AssignmentFile = z.object({
  v: z.literal(1),
  clusterId: z.string(),
  tasks: z.array(z.object({ record: TaskRecord, memory: TaskMemory.optional() })),
});

export interface StoredTask {
  readonly record: TaskRecord;
  readonly memory: TaskMemory | undefined;
}

export interface AssignmentFileParts {
  readonly files: JsonFiles;
  readonly stateDir: string;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AgentMetrics;
}

function pathIn(stateDir: string): string {
  return join(stateDir, 'node', 'assignments.json');
}

/**
 * What the file holds for this node: a host that joined anew does not take up what it was before. A damaged file is
 * reported and counts as empty: the bus has it all.
 */
export async function readAssignments(parts: AssignmentFileParts): Promise<StoredTask[]> {
  const path = pathIn(parts.stateDir);
  try {
    const json = await parts.files.read(path);
    if (json === undefined) return [];
    const file = AssignmentFile.parse(json);
    if (file.clusterId !== parts.clusterId) return [];
    const own = file.tasks.filter(({ record }) => record.nodeId === parts.nodeId);
    return own.map(({ record, memory }) => ({ record, memory: memory && revived(record, memory, parts.clock) }));
  } catch (error) {
    parts.metrics.diskFailures.inc();
    parts.log.error(
      { path, error: messageOf(error) },
      'cannot read the stored assignments: waiting for the bus instead',
    );
    return [];
  }
}

/** The elapsed clock began anew: the wait goes on by the wall clock, within the longest wait there can be. */
function revived(record: TaskRecord, memory: TaskMemory, clock: Clock): TaskMemory {
  if (memory.retryAtMs === undefined) return memory;
  const longestMs = restartRules(record.template.RestartPolicy).delayMs ?? LONGEST_BACKOFF_MS;
  const leftMs = Math.min(Math.max(0, memory.retryAtMs - clock.wallMs()), longestMs);
  return { ...memory, retryAtElapsedMs: clock.elapsedMs() + leftMs };
}

/** Keeps the file up to date whenever `poke` is raised; the last write happens at the end. */
export async function keepAssignments(
  parts: AssignmentFileParts,
  poke: Poke,
  tasks: () => readonly SupervisedTask[],
  signal: AbortSignal,
): Promise<void> {
  let written = '';
  const write = async () => {
    const kept = tasks().filter((task) => !task.memory?.removed);
    const file = { v: 1, clusterId: parts.clusterId, tasks: kept.map(({ record, memory }) => ({ record, memory })) };
    const text = JSON.stringify(file);
    if (text === written) return;
    await parts.files.write(pathIn(parts.stateDir), file);
    written = text;
  };
  const onError = (error: unknown) => {
    parts.metrics.diskFailures.inc();
    parts.log.error({ error: messageOf(error), retryMs: RETRY_MS }, 'cannot store the assignments');
  };
  const times = { minGapMs: WRITE_GAP_MS, resyncMs: REWRITE_MS, retryMs: RETRY_MS };
  await runLoop({ tick: write, poke, times, clock: parts.clock, onError }, signal);
  await write().catch(onError);
}
