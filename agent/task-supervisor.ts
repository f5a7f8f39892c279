/**
 * Holds what is asked of this node beside what its engine shows and turns one task at a time: plan, do the one step,
 * look, plan again. Absence stops nothing here: a task whose record vanished is an orphan and goes on.
 */

import { stopGracePeriodMs } from '../model/service-defaults.ts';
import type { TaskRecord } from '../model/task-record.ts';
import { type Clock, nowOn, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { type Contact, needsContact } from './contact.ts';
import type { Engine } from './engine/engine.ts';
import type { ObservedContainer } from './plan/observed-container.ts';
import { isResumed, type Permit, revokeAnew } from './plan/permit.ts';
import type { planTask } from './plan/plan-task.ts';
import { statusOf, type UnnumberedStatus } from './plan/status.ts';
import type { Step } from './plan/step.ts';
import { hasEnded, type TaskMemory } from './plan/task-memory.ts';
import type { Probers } from './probe/probers.ts';
import type { EngineStep } from './step-executor.ts';
import { StepLanes } from './step-lanes.ts';
import { StepRunner, type StepRunnerParts } from './step-runner.ts';
import type { TaskEntry } from './supervised-task.ts';
import { TasksHere } from './tasks-here.ts';

/** What an engine gets beyond the grace period before a task that may not run is ended past it. */
const KILL_MARGIN_MS = 1_000;
const STOP_WAIT_MS = 2_000;

export interface SupervisorParts {
  readonly planTask: typeof planTask;
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: Engine;
  readonly metrics: AgentMetrics;
  readonly clusterId: string;
  readonly incarnation: number;
  readonly startsAtOnce: number;
  /** Absent where no container can be asked. */
  readonly probes?: Probers | undefined;
  readonly executor: StepRunnerParts['executor'];
  /** When services that stop where the leader is not heard may run. */
  readonly contact: Pick<Contact, 'permitFor' | 'expiredForMs'>;
  /** Ends a container's process past its engine. */
  readonly kill: (container: ObservedContainer) => Promise<void>;
  readonly onStatus: (status: UnnumberedStatus) => void;
  readonly onForgotten: (taskId: string) => void;
  /** Something worth keeping on disk changed. */
  readonly onChange: () => void;
}

export class TaskSupervisor {
  private readonly parts: SupervisorParts;
  readonly here: TasksHere;
  private readonly lanes: StepLanes;
  private readonly steps: StepRunner;
  private readonly stopping = new AbortController();

  constructor(parts: SupervisorParts) {
    this.parts = parts;
    this.here = new TasksHere(parts.probes);
    this.lanes = new StepLanes(parts.startsAtOnce);
    const remember = (entry: TaskEntry, memory: TaskMemory) => this.remember(entry, memory);
    this.steps = new StepRunner({ ...parts, remember, stopping: this.stopping.signal });
  }

  /** Takes an assignment over, with what is remembered of it when it comes from disk. */
  assign(record: TaskRecord, memory?: TaskMemory): void {
    const entry = this.here.entry(record.id);
    if (entry) Object.assign(entry, { record, orphaned: false });
    else this.here.add(record).memory = memory;
    this.parts.onChange();
    this.turn(record.id);
  }

  /** The record is gone from the bus: a task that is stopped and removed is forgotten, any other goes on as an orphan. */
  unassign(taskId: string): void {
    const entry = this.here.entry(taskId);
    if (!entry) return;
    entry.orphaned = true;
    if (entry.record.desired === 'stopped' && entry.containers.size > 0) {
      this.parts.log.warn({ taskId }, 'the record of a task being stopped is gone: finishing the stop');
    }
    this.parts.onChange();
    this.turn(taskId);
  }

  /** Takes over a full list of our containers. `startedAt` is what `looksSoFar()` said before the list was asked for. */
  takeList(containers: readonly ObservedContainer[], startedAt: ReadonlyMap<string, number>): void {
    this.here.takeList(containers, startedAt);
    for (const { record } of this.here.all()) this.turn(record.id);
    this.countOrphans();
  }

  /** Something happened to a container: look at it and at its task. */
  async lookAt(containerId: string, taskId: string | undefined, action?: string): Promise<void> {
    const entry = taskId === undefined ? undefined : this.here.entry(taskId);
    if (action === 'start' && entry?.job) return; // our own start: its job looks when it is done
    if (entry) entry.looks += 1;
    const container = await this.parts.engine.look(this.parts.clusterId, containerId);
    if (entry) entry.looks += 1;
    this.here.takeLook(containerId, container, entry);
    if (entry) this.turn(entry.record.id);
    this.countOrphans();
  }

  /** Has an unhealthy task's container replaced on the agent's own account. */
  replace(taskId: string, reason: string): void {
    const entry = this.here.entry(taskId);
    if (!entry?.memory) return;
    entry.memory = { ...entry.memory, replaceReason: reason };
    this.turn(taskId);
  }

  /** Whether a task runs here only while the leader is heard. */
  get needsContact(): boolean {
    return this.here.needsContact;
  }

  /**
   * Turns tasks whose permit has changed, and ends those their engine has not stopped in time. To be called before the
   * leader's answer counts, too: one that expired unnoticed has expired all the same.
   */
  checkPermits(): void {
    for (const entry of this.here.all()) {
      if (entry.memory?.final || !needsContact(entry.record)) continue;
      const before = entry.permit;
      entry.permit = this.permitOf(entry);
      if (entry.permit !== before) this.turn(entry.record.id);
      if (entry.record.desired === 'running') this.killOverdue(entry);
    }
  }

  /**
   * To be called right before the leader's answer counts: what let a task run again came before or during the silence, and
   * the leader may have given the task up since. It is asked again, of an attempt it has not heard of yet.
   */
  voidResumptions(): void {
    for (const entry of this.here.all()) {
      const { memory, record } = entry;
      if (!memory || !isResumed(memory, record) || this.parts.contact.permitFor(record) !== 'expired') continue;
      this.remember(entry, revokeAnew(memory, nowOn(this.parts.clock)));
      if (this.here.seen) this.report(entry);
    }
  }

  private killOverdue({ record, containers }: TaskEntry): void {
    const overdueMs = this.parts.contact.expiredForMs(record) - stopGracePeriodMs(record.template) - KILL_MARGIN_MS;
    if (overdueMs <= 0) return;
    for (const container of containers.values()) {
      if (container.phase !== 'running') continue;
      this.parts.log.warn(
        { taskId: record.id },
        'the engine did not stop a task that may not run any more: killing it',
      );
      this.parts.kill(container).catch((error: unknown) => {
        this.parts.log.error({ taskId: record.id, error: messageOf(error) }, 'cannot kill a task that may not run');
      });
    }
  }

  /** What was known of a task beside the engine changed: its probes turned. */
  review(taskId: string): void {
    this.turn(taskId);
  }

  /** Sends every status once more: the bus may have lost them. Before the engine has been seen there is none to tell. */
  reportAll(): void {
    if (!this.here.seen) return;
    for (const entry of this.here.all()) this.report(entry);
  }

  /** Ends planning; steps still in work after a moment are left to the engine. Containers stay as they are. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.parts.probes?.stop();
    for (const entry of this.here.all()) {
      entry.timer?.abort();
      if (entry.job?.kind === 'pull') entry.job.abort.abort();
    }
    const late = () => new PlimsollError('timeout', 'steps are still in work');
    await withDeadline(this.parts.clock, STOP_WAIT_MS, this.lanes.idle(), late).catch((error) => {
      this.parts.log.info(
        { reason: messageOf(error) },
        'the agent ends before its last steps do: the engine finishes them',
      );
    });
  }

  /** Plans a task and starts its next step, unless one is in work. */
  private turn(taskId: string): void {
    const entry = this.here.entry(taskId);
    if (!entry || !this.here.seen || this.stopping.signal.aborted) return;
    if (entry.job) {
      const superseded = entry.job.kind === 'pull' || entry.job.kind === 'create';
      const isUnwanted = entry.record.desired === 'stopped' || this.permitOf(entry) === 'expired';
      if (superseded && isUnwanted) entry.job.abort.abort();
      return;
    }
    entry.timer?.abort();
    const step = this.plan(entry);
    if (step?.kind === 'forget') this.forget(entry);
    else if (step?.kind === 'wait') this.turnAt(entry, step.untilElapsedMs);
    else if (step) this.takeStep(entry, step);
  }

  private takeStep(entry: TaskEntry, step: EngineStep): void {
    const notBeforeMs = entry.pace.notBeforeMs(step, entry.memory?.attempt ?? 1);
    if (notBeforeMs > this.parts.clock.elapsedMs()) this.turnAt(entry, notBeforeMs);
    else this.queueStep(entry, step);
  }

  private plan(entry: TaskEntry): Step | undefined {
    const before = entry.memory;
    entry.permit = this.permitOf(entry);
    this.parts.probes?.follow(entry.record, [...entry.containers.values()]);
    const { memory, step } = this.parts.planTask(
      { ...entry, containers: this.here.containersOf(entry) },
      nowOn(this.parts.clock),
    );
    this.remember(entry, memory);
    if (before && memory.attempt > before.attempt) this.parts.metrics.restarts.inc();
    if (memory.final || entry.record.desired !== 'running') entry.permit = 'unknown';
    this.report(entry);
    return step;
  }

  private permitOf({ record, permit }: TaskEntry): Permit {
    return permit === 'expired' ? 'expired' : this.parts.contact.permitFor(record);
  }

  private remember(entry: TaskEntry, memory: TaskMemory): void {
    const before = entry.memory;
    entry.memory = memory;
    if (before?.attempt !== memory.attempt || before.state !== memory.state) this.parts.onChange();
    const failed = hasEnded(memory) && memory.failureKind !== undefined;
    const isNews = before === undefined || before.attempt !== memory.attempt || !hasEnded(before);
    if (!failed || !isNews) return;
    this.parts.metrics.taskFailures.inc({ reason: memory.failureKind ?? 'exit' });
    const { record } = entry;
    const task = `${record.serviceName}.${record.slot}`;
    this.parts.log.warn({ taskId: record.id, task, attempt: memory.attempt, error: memory.error }, 'an attempt failed');
  }

  private report(entry: TaskEntry): void {
    const { memory } = entry;
    if (!memory) return;
    const current = this.here.containersOf(entry).find((container) => container.attempt === memory.attempt);
    this.parts.onStatus(statusOf(entry.record, memory, current, this.parts.incarnation));
  }

  private forget(entry: TaskEntry): void {
    this.parts.probes?.follow(entry.record, []);
    this.here.remove(entry.record.id);
    this.parts.onForgotten(entry.record.id);
    this.parts.onChange();
  }

  private turnAt(entry: TaskEntry, untilElapsedMs: number): void {
    const timer = new AbortController();
    entry.timer = timer;
    const waitMs = Math.max(0, untilElapsedMs - this.parts.clock.elapsedMs());
    this.parts.clock.sleep(waitMs, timer.signal).then(
      () => this.turn(entry.record.id),
      () => undefined,
    );
  }

  private queueStep(entry: TaskEntry, step: EngineStep): void {
    const taskId = entry.record.id;
    const job = { kind: step.kind, abort: new AbortController() };
    entry.job = job;
    this.lanes.queue(step.kind, async () => {
      await this.steps.run(entry, step, job.abort.signal);
      entry.job = undefined;
      queueMicrotask(() => this.turn(taskId));
    });
  }

  private countOrphans(): void {
    this.parts.metrics.orphans.set(this.here.orphans().length);
  }
}
