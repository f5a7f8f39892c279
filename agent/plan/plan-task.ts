/**
 * The agent's planner: what is asked for and what is there, in; what to remember and the one next step, out. Pure and
 * level-triggered: called again after every event and every finished step, it finds the next thing to do.
 */

import { stopGracePeriodMs } from '../../model/service-defaults.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { explainExit, explainRefusal } from './failure-words.ts';
import type { Now, ObservedContainer } from './observed-container.ts';
import { CUT_OFF, isResumed, type Permit, REVOKED_REASON, revoke } from './permit.ts';
import { decideRestart } from './restart.ts';
import type { Step } from './step.ts';
import type { TaskMemory } from './task-memory.ts';
import {
  type AttemptEnd,
  advance,
  beginAttempt,
  endAttempt,
  freshMemory,
  hasEnded,
  noteRunning,
} from './task-memory.ts';

/** Dead containers kept per task, for their logs. */
const DEAD_CONTAINERS_KEPT = 1;

export interface TaskView {
  readonly record: TaskRecord;
  /** The record is missing on the bus: what runs goes on running, what is gone is not made anew. */
  readonly orphaned: boolean;
  /** All containers of the task, any order. */
  readonly containers: readonly ObservedContainer[];
  readonly memory: TaskMemory | undefined;
  /** Absent: valid. */
  readonly permit?: Permit;
}

export interface TaskPlan {
  readonly memory: TaskMemory;
  /** Undefined when there is nothing to do until something changes. */
  readonly step: Step | undefined;
}

export function planTask(view: TaskView, now: Now): TaskPlan {
  const memory = observe(view, view.memory ?? freshMemory(view.record, now), now);
  if (view.orphaned && view.containers.length === 0) {
    return { memory, step: { kind: 'forget', reason: 'no assignment and no container' } };
  }
  if (view.record.desired === 'stopped') return planStop(view, memory, now);
  const mayNotRun = view.permit === 'expired' && view.record.desired === 'running';
  return mayNotRun ? planRevoked(view, memory, now) : planRun(view, memory, now);
}

/** A failed step ends the attempt: `rejected` before the container could be started, `failed` when starting it failed. */
export function refuseAttempt(
  memory: TaskMemory,
  record: TaskRecord,
  refusal: { step: 'pull' | 'create' | 'start'; words: string },
  now: Now,
): TaskMemory {
  const { kind, sentence } = explainRefusal(refusal.step, refusal.words);
  const ended = endAttempt(
    memory,
    {
      state: refusal.step === 'start' ? 'failed' : 'rejected',
      message: refusal.step === 'start' ? 'starting' : 'preparing',
      error: sentence,
      failureKind: kind,
      exitCode: 0,
      oomKilled: false,
      finishedAtMs: now.wallMs,
    },
    now,
  );
  return decideRestart(ended, record, now);
}

/** Brings the memory up to what the engine shows. */
function observe(view: TaskView, before: TaskMemory, now: Now): TaskMemory {
  const newest = view.containers.reduce((highest, container) => Math.max(highest, container.attempt), before.attempt);
  const memory = newest > before.attempt ? beginAttempt(before, newest, now) : before;
  if (hasEnded(memory)) return memory;
  const container = containerOf(view, memory.attempt);
  if (container === undefined) {
    return lostContainer(view, memory) ? ended(view, memory, removedBehindOurBack(now), now) : memory;
  }
  switch (container.phase) {
    case 'created':
      return { ...memory, containerId: container.id };
    case 'running':
      return noteRunning(memory, container, now);
    case 'exited':
      return ended(
        view,
        { ...memory, containerId: container.id, startedAtMs: container.startedAtMs },
        exitOf(container, view, memory, now),
        now,
      );
  }
}

function containerOf(view: TaskView, attempt: number): ObservedContainer | undefined {
  return view.containers.find((container) => container.attempt === attempt);
}

/** Of a task to be stopped, one made and never started is removed by us. */
function lostContainer(view: TaskView, memory: TaskMemory): boolean {
  return memory.containerId !== undefined && view.record.desired !== 'stopped';
}

function removedBehindOurBack(now: Now): AttemptEnd {
  return {
    state: 'failed',
    message: 'started',
    error: 'The container was removed, not by the agent (docker rm, plim down)',
    failureKind: 'removed',
    exitCode: 0,
    oomKilled: false,
    finishedAtMs: now.wallMs,
  };
}

function exitOf(container: ObservedContainer, view: TaskView, memory: TaskMemory, now: Now): AttemptEnd {
  const { exitCode, oomKilled } = container;
  const at = { exitCode, oomKilled, finishedAtMs: container.finishedAtMs ?? now.wallMs };
  if (view.permit === 'expired') {
    return { ...at, state: 'shutdown', message: 'shutdown', error: REVOKED_REASON, failureKind: CUT_OFF };
  }
  if (view.record.desired === 'stopped') {
    return { ...at, state: 'shutdown', message: 'shutdown', error: '', failureKind: undefined };
  }
  if (memory.replaceReason !== undefined) {
    const error = `task: ${memory.replaceReason} (exit ${exitCode})`;
    const failureKind = memory.replaceReason.includes('unhealthy') ? 'unhealthy' : 'restarted';
    return { ...at, state: 'failed', message: 'started', error, failureKind };
  }
  const { kind, sentence } = explainExit(exitCode, oomKilled, container.error);
  if (sentence === '') return { ...at, state: 'complete', message: 'finished', error: '', failureKind: undefined };
  return { ...at, state: 'failed', message: 'started', error: sentence, failureKind: kind };
}

function ended(view: TaskView, memory: TaskMemory, end: AttemptEnd, now: Now): TaskMemory {
  const over = endAttempt(memory, end, now);
  if (view.permit === 'expired') return revoke(over, now);
  return view.record.desired === 'stopped' ? over : decideRestart(over, view.record, now);
}

function planRun(view: TaskView, memory: TaskMemory, now: Now): TaskPlan {
  const stray = view.containers.find(
    (container) => container.attempt < memory.attempt && container.phase === 'running',
  );
  if (stray) return { memory, step: stopStep(view, stray, 'an earlier attempt must not run beside the current one') };
  if (hasEnded(memory)) return planAfterEnd(view, memory, now);
  const container = containerOf(view, memory.attempt);
  if (container?.phase === 'running') return planRunning(view, memory, container);
  if (view.record.replaceAttempt >= memory.attempt) {
    return planRun(view, beginAttempt(memory, view.record.replaceAttempt + 1, now), now);
  }
  return planTowardsRunning(view, memory, container, now);
}

function planTowardsRunning(
  view: TaskView,
  memory: TaskMemory,
  container: ObservedContainer | undefined,
  now: Now,
): TaskPlan {
  const { record } = view;
  if (container === undefined && memory.needsImage) {
    const image = record.template.ContainerSpec.Image;
    const reason =
      record.desired === 'ready' ? 'the image must be here before the task may run' : 'the image is not here';
    return {
      memory: advance(memory, 'preparing', 'preparing', now),
      step: { kind: 'pull', image, refresh: memory.attempt === 1, reason },
    };
  }
  if (record.desired === 'ready' || view.permit === 'unknown') {
    return { memory: advance(memory, 'ready', 'prepared', now), step: undefined };
  }
  const starting = advance(memory, 'starting', 'starting', now);
  if (container) {
    return { memory: starting, step: startStep(container) };
  }
  const reason = memory.attempt === 1 ? 'assigned to this node' : `attempt ${memory.attempt - 1} ended`;
  return { memory: starting, step: { kind: 'create', attempt: memory.attempt, reason } };
}

function startStep({ id, attempt }: ObservedContainer): Step {
  return { kind: 'start', containerId: id, attempt, reason: 'made but never started' };
}

function planRunning(view: TaskView, memory: TaskMemory, container: ObservedContainer): TaskPlan {
  if (view.record.replaceAttempt >= memory.attempt || memory.replaceReason !== undefined) {
    const replaceReason = memory.replaceReason ?? unhealthyWords(container);
    return { memory: { ...memory, replaceReason }, step: stopStep(view, container, replaceReason) };
  }
  return { memory, step: tidyStep(view, memory) };
}

function planAfterEnd(view: TaskView, memory: TaskMemory, now: Now): TaskPlan {
  const waitOver = now.elapsedMs >= (memory.retryAtElapsedMs ?? 0);
  if (isResumed(memory, view.record) || (!memory.final && waitOver)) {
    return planRun(view, beginAttempt(memory, Math.max(memory.attempt, view.record.replaceAttempt) + 1, now), now);
  }
  const running = containerOf(view, memory.attempt);
  if (memory.revoked && running?.phase === 'running') return { memory, step: stopStep(view, running, REVOKED_REASON) };
  const tidy = tidyStep(view, memory);
  if (tidy || memory.final) return { memory, step: tidy };
  const untilElapsedMs = memory.retryAtElapsedMs ?? now.elapsedMs;
  return { memory, step: { kind: 'wait', untilElapsedMs, reason: `back-off after ${memory.failures} failures` } };
}

/** Removes dead containers beyond those kept for their logs. */
function tidyStep(view: TaskView, memory: TaskMemory): Step | undefined {
  const dead = view.containers
    .filter((container) => container.phase !== 'running' && (container.attempt < memory.attempt || hasEnded(memory)))
    .sort((a, b) => b.attempt - a.attempt);
  const surplus = dead[DEAD_CONTAINERS_KEPT];
  if (surplus === undefined) return undefined;
  return { kind: 'remove', containerId: surplus.id, reason: 'a newer dead container is kept for its logs' };
}

/** Cut off from the leader: another task may be started in the place of this one. */
function planRevoked(view: TaskView, memory: TaskMemory, now: Now): TaskPlan {
  const running = view.containers.find((container) => container.phase === 'running');
  if (running) return { memory, step: stopStep(view, running, REVOKED_REASON) };
  const over = revoke(memory, now);
  return { memory: over, step: tidyStep(view, over) };
}

function planStop(view: TaskView, memory: TaskMemory, now: Now): TaskPlan {
  const running = view.containers.find((container) => container.phase === 'running');
  if (running) return { memory, step: stopStep(view, running, view.record.reason) };
  const left = view.containers[0];
  if (left) return { memory, step: { kind: 'remove', containerId: left.id, reason: view.record.reason } };
  const over = hasEnded(memory) ? memory : advance(memory, 'shutdown', 'shutdown', now);
  return { memory: { ...over, removed: true, final: true }, step: undefined };
}

/** The first words are Swarm's. */
function unhealthyWords({ unhealthyBecause }: ObservedContainer): string {
  return unhealthyBecause === undefined ? 'unhealthy container' : `unhealthy container: ${unhealthyBecause}`;
}

function stopStep(view: TaskView, container: ObservedContainer, reason: string): Step {
  return { kind: 'stop', containerId: container.id, graceMs: stopGracePeriodMs(view.record.template), reason };
}
