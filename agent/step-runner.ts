/** Does one step of a task on the engine and looks at what came of it, so that the next plan sees what the step did. */
import { type Clock, nowOn } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { Engine } from './engine/engine.ts';
import { PayloadAwayError } from './files/payload-source.ts';
import { refuseAttempt } from './plan/plan-task.ts';
import type { TaskMemory } from './plan/task-memory.ts';
import { type EngineStep, type ExecutorParts, executeStep, StepRefused } from './step-executor.ts';
import type { TaskEntry } from './supervised-task.ts';

const ENGINE_RETRY_MS = 500;

export interface StepRunnerParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: Engine;
  readonly metrics: AgentMetrics;
  readonly clusterId: string;
  readonly executor: Omit<ExecutorParts, 'engine' | 'onCreated'>;
  /** An attempt ended by a refusal. */
  readonly remember: (entry: TaskEntry, memory: TaskMemory) => void;
  /** The agent ends: steps not begun are left. */
  readonly stopping: AbortSignal;
}

export class StepRunner {
  private readonly parts: StepRunnerParts;

  constructor(parts: StepRunnerParts) {
    this.parts = parts;
  }

  /** Does the step and looks at what came of it. Never throws. */
  async run(entry: TaskEntry, step: EngineStep, signal: AbortSignal): Promise<void> {
    const startedAtMs = this.parts.clock.elapsedMs();
    try {
      if (!signal.aborted && !this.parts.stopping.aborted) await this.execute(entry, step, signal);
      await this.lookAgain(entry, step);
    } catch (error) {
      await this.stepFailed(entry, step, error, signal);
    } finally {
      const seconds = (this.parts.clock.elapsedMs() - startedAtMs) / 1000;
      this.parts.metrics.stepSeconds.observe({ step: step.kind }, seconds);
    }
  }

  private async execute(entry: TaskEntry, step: EngineStep, signal: AbortSignal): Promise<void> {
    const { record, memory } = entry;
    const isCurrent = step.kind === 'stop' && entry.containers.get(step.containerId)?.attempt === memory?.attempt;
    const parts = {
      ...this.parts.executor,
      engine: this.parts.engine,
      onCreated: (_taskId: string, containerId: string) => {
        if (entry.memory) entry.memory = { ...entry.memory, containerId };
      },
    };
    await executeStep(parts, record, step, isCurrent, signal);
    entry.pace.note(step, memory?.attempt ?? 1, this.parts.clock.elapsedMs());
    if (step.kind === 'pull' && entry.memory) entry.memory = { ...entry.memory, needsImage: false };
  }

  /** Looks at the container the step was about, so that the next plan sees what the step did. */
  private async lookAgain(entry: TaskEntry, step: EngineStep): Promise<void> {
    const containerId = 'containerId' in step ? step.containerId : entry.memory?.containerId;
    if (step.kind === 'pull' || containerId === undefined) return;
    entry.looks += 1;
    const container = await this.parts.engine.look(this.parts.clusterId, containerId);
    if (container) entry.containers.set(container.id, container);
    else entry.containers.delete(containerId);
  }

  private async stepFailed(entry: TaskEntry, step: EngineStep, error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted && step.kind === 'pull') return;
    if (!(error instanceof StepRefused)) return this.waitForEngine(entry, step, error);
    if (error.step === 'create' && isMissingImage(error) && entry.memory && !entry.memory.needsImage) {
      entry.memory = { ...entry.memory, needsImage: true };
      return;
    }
    // Even a task to be stopped meanwhile: what was made before the refusal has to be removed.
    await this.lookAgain(entry, step).catch((lookError) => this.waitForEngine(entry, step, lookError));
    if (entry.memory && !signal.aborted) {
      const refused = refuseAttempt(
        entry.memory,
        entry.record,
        { step: error.step, words: error.message },
        nowOn(this.parts.clock),
      );
      this.parts.remember(entry, refused);
    }
  }

  /** The engine (or the bus that has a secret) is away, which is no fault of the task: resolves when to try again. */
  private async waitForEngine(entry: TaskEntry, step: EngineStep, error: unknown): Promise<void> {
    const code = error instanceof PlimsollError ? error.code : 'internal';
    const fields = { taskId: entry.record.id, step: step.kind, error: messageOf(error), retryMs: ENGINE_RETRY_MS };
    if (error instanceof PayloadAwayError) {
      this.parts.log.warn(fields, 'a secret or config cannot be had from the cluster: trying again');
    } else {
      this.parts.metrics.engineFailures.inc({ code });
      this.parts.log.warn(fields, 'the engine did not do a step: trying again');
    }
    const signal = this.parts.stopping;
    while (!signal.aborted) {
      await this.parts.clock.sleep(ENGINE_RETRY_MS, signal).catch(() => undefined);
      const looked = await this.lookAgain(entry, step).then(
        () => true,
        () => false,
      );
      if (looked) return;
    }
  }
}

function isMissingImage(error: StepRefused): boolean {
  return error.refusal.code === 'not-found' && /no such image/i.test(error.message);
}
