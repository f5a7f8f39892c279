/**
 * Holds what is asked of this node beside what its engine shows and turns one task at a time: plan, do the one step,
 * look, plan again. Absence stops nothing here: a task whose record vanished is an orphan and goes on.
 */
import type { Orphan } from '../model/messages.ts';
import type { TaskRecord } from '../model/records.ts';
import { stopGracePeriodMs } from '../model/service-defaults.ts';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { type Contact, needsContact } from './contact.ts';
import type { Engine } from './engine/engine.ts';
import { PayloadAwayError } from './files/payload-source.ts';
import type { Now, ObservedContainer } from './plan/observed-container.ts';
import type { Permit } from './plan/permit.ts';
import { type planTask, refuseAttempt } from './plan/plan-task.ts';
import { statusOf, type UnnumberedStatus } from './plan/status.ts';
import type { Step } from './plan/step.ts';
import { hasEnded, type TaskMemory } from './plan/task-memory.ts';
import type { Probers } from './probe/probers.ts';
import { type EngineStep, type ExecutorParts, executeStep, StepRefused } from './step-executor.ts';
import { StepLanes } from './step-lanes.ts';
import { StepPace } from './step-pace.ts';

const ENGINE_RETRY_MS = 500;
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
  readonly executor: Omit<ExecutorParts, 'engine' | 'onCreated'>;
  /** When services that stop where the leader is not heard may run. */
  readonly contact: Pick<Contact, 'permitFor' | 'expiredForMs'>;
  /** Ends a container's process past its engine. */
  readonly kill: (container: ObservedContainer) => Promise<void>;
  readonly onStatus: (status: UnnumberedStatus) => void;
  readonly onForgotten: (taskId: string) => void;
  /** Something worth keeping on disk changed. */
  readonly onChange: () => void;
}

/** A task with all that is known of it here. */
export interface SupervisedTask {
  readonly record: TaskRecord;
  readonly orphaned: boolean;
  readonly memory: TaskMemory | undefined;
  readonly containers: readonly ObservedContainer[];
}

interface Entry {
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

export class TaskSupervisor {
  private readonly parts: SupervisorParts;
  private readonly entries = new Map<string, Entry>();
  /** Containers of this cluster nobody ever assigned to us, by id. */
  private readonly strays = new Map<string, ObservedContainer>();
  private readonly lanes: StepLanes;
  private readonly stopping = new AbortController();
  /** Nothing is planned before the engine has been seen once: unseen is not absent. */
  private seen = false;

  constructor(parts: SupervisorParts) {
    this.parts = parts;
    this.lanes = new StepLanes(parts.startsAtOnce);
  }

  /** Takes an assignment over, with what is remembered of it when it comes from disk. */
  assign(record: TaskRecord, memory?: TaskMemory): void {
    const entry = this.entries.get(record.id);
    if (entry) Object.assign(entry, { record, orphaned: false });
    else this.entries.set(record.id, { ...this.newEntry(record), memory });
    this.parts.onChange();
    this.turn(record.id);
  }

  /** The record is gone from the bus: a task that is stopped and removed is forgotten, any other goes on as an orphan. */
  unassign(taskId: string): void {
    const entry = this.entries.get(taskId);
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
    this.seen = true;
    const byTask = groupByTask(containers);
    this.strays.clear();
    for (const [taskId, group] of byTask) {
      if (!this.entries.has(taskId)) for (const container of group) this.strays.set(container.id, container);
    }
    for (const [taskId, entry] of this.entries) {
      const touchedSince = entry.job !== undefined || entry.looks !== (startedAt.get(taskId) ?? 0);
      if (!touchedSince) entry.containers = new Map((byTask.get(taskId) ?? []).map((one) => [one.id, one]));
    }
    for (const taskId of this.entries.keys()) this.turn(taskId);
    this.countOrphans();
  }

  looksSoFar(): Map<string, number> {
    return new Map([...this.entries].map(([taskId, entry]) => [taskId, entry.looks]));
  }

  /** Something happened to a container: look at it and at its task. */
  async lookAt(containerId: string, taskId: string | undefined, action?: string): Promise<void> {
    const entry = taskId === undefined ? undefined : this.entries.get(taskId);
    if (action === 'start' && entry?.job) return; // our own start: its job looks when it is done
    if (entry) entry.looks += 1;
    const container = await this.parts.engine.look(this.parts.clusterId, containerId);
    if (entry && taskId !== undefined) {
      entry.looks += 1;
      if (container) entry.containers.set(containerId, container);
      else entry.containers.delete(containerId);
      this.turn(taskId);
    } else if (container) this.strays.set(containerId, container);
    else this.strays.delete(containerId);
    this.countOrphans();
  }

  tasks(): SupervisedTask[] {
    return [...this.entries.values()].map((entry) => ({ ...entry, containers: this.containersOf(entry) }));
  }

  task(taskId: string): SupervisedTask | undefined {
    const entry = this.entries.get(taskId);
    return entry && { ...entry, containers: this.containersOf(entry) };
  }

  /** Is a task, or a container of it that no record accounts for, on this node? */
  isHere(taskId: string): boolean {
    return this.entries.has(taskId) || [...this.strays.values()].some((container) => container.taskId === taskId);
  }

  /** Containers of this cluster on this node that no record accounts for. */
  orphans(): Orphan[] {
    return this.containersWhere((entry) => entry.orphaned);
  }

  /** Every container of this cluster on this node. Throws `unavailable` before the engine has told of them. */
  inventory(): Orphan[] {
    if (!this.seen)
      throw new PlimsollError('unavailable', 'Cannot tell what runs here: the engine has not answered yet');
    return this.containersWhere(() => true);
  }

  private containersWhere(isAsked: (entry: Entry) => boolean): Orphan[] {
    const asked = [...this.entries.values()].filter(isAsked);
    const containers = [...asked.flatMap((entry) => [...entry.containers.values()]), ...this.strays.values()];
    return containers.map(({ taskId, serviceId, slot, revision, id, phase }) => ({
      taskId,
      serviceId,
      slot,
      revision,
      containerId: id,
      running: phase === 'running',
    }));
  }

  /** Has an unhealthy task's container replaced on the agent's own account. */
  replace(taskId: string, reason: string): void {
    const entry = this.entries.get(taskId);
    if (!entry?.memory) return;
    entry.memory = { ...entry.memory, replaceReason: reason };
    this.turn(taskId);
  }

  /** Whether a task runs here only while the leader is heard. */
  get needsContact(): boolean {
    for (const { record } of this.entries.values()) if (needsContact(record)) return true;
    return false;
  }

  /**
   * Turns tasks whose permit has changed, and ends those their engine has not stopped in time. To be called before the
   * leader's answer counts, too: one that expired unnoticed has expired all the same.
   */
  checkPermits(): void {
    for (const [taskId, entry] of this.entries) {
      if (entry.memory?.final || !needsContact(entry.record)) continue;
      const before = entry.permit;
      entry.permit = this.permitOf(entry);
      if (entry.permit !== before) this.turn(taskId);
      if (entry.record.desired === 'running') this.killOverdue(entry);
    }
  }

  private killOverdue({ record, containers }: Entry): void {
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
    if (!this.seen) return;
    for (const entry of this.entries.values()) this.report(entry);
  }

  /** Ends planning; steps still in work after a moment are left to the engine. Containers stay as they are. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.parts.probes?.stop();
    for (const entry of this.entries.values()) {
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

  /** As the engine shows them and the probes see them. */
  private containersOf(entry: Entry): ObservedContainer[] {
    const { probes } = this.parts;
    const containers = [...entry.containers.values()];
    return probes ? containers.map((container) => probes.view(container)) : containers;
  }

  private newEntry(record: TaskRecord): Entry {
    const containers = [...this.strays.values()].filter((container) => container.taskId === record.id);
    for (const container of containers) this.strays.delete(container.id);
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

  /** Plans a task and starts its next step, unless one is in work. */
  private turn(taskId: string): void {
    const entry = this.entries.get(taskId);
    if (!entry || !this.seen || this.stopping.signal.aborted) return;
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

  private takeStep(entry: Entry, step: EngineStep): void {
    const notBeforeMs = entry.pace.notBeforeMs(step, entry.memory?.attempt ?? 1);
    if (notBeforeMs > this.parts.clock.elapsedMs()) this.turnAt(entry, notBeforeMs);
    else this.queueStep(entry, step);
  }

  private plan(entry: Entry): Step | undefined {
    const before = entry.memory;
    entry.permit = this.permitOf(entry);
    this.parts.probes?.follow(entry.record, [...entry.containers.values()]);
    const { memory, step } = this.parts.planTask({ ...entry, containers: this.containersOf(entry) }, this.now());
    this.remember(entry, memory);
    if (before && memory.attempt > before.attempt) this.parts.metrics.restarts.inc();
    if (memory.final || entry.record.desired !== 'running') entry.permit = 'unknown';
    this.report(entry);
    return step;
  }

  private permitOf({ record, permit }: Entry): Permit {
    return permit === 'expired' ? 'expired' : this.parts.contact.permitFor(record);
  }

  private remember(entry: Entry, memory: TaskMemory): void {
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

  private report(entry: Entry): void {
    const { memory } = entry;
    if (!memory) return;
    const current = this.containersOf(entry).find((container) => container.attempt === memory.attempt);
    this.parts.onStatus(statusOf(entry.record, memory, current, this.parts.incarnation));
  }

  private forget(entry: Entry): void {
    this.parts.probes?.follow(entry.record, []);
    this.entries.delete(entry.record.id);
    this.parts.onForgotten(entry.record.id);
    this.parts.onChange();
  }

  private turnAt(entry: Entry, untilElapsedMs: number): void {
    const timer = new AbortController();
    entry.timer = timer;
    const waitMs = Math.max(0, untilElapsedMs - this.parts.clock.elapsedMs());
    this.parts.clock.sleep(waitMs, timer.signal).then(
      () => this.turn(entry.record.id),
      () => undefined,
    );
  }

  private queueStep(entry: Entry, step: EngineStep): void {
    const taskId = entry.record.id;
    const job = { kind: step.kind, abort: new AbortController() };
    entry.job = job;
    this.lanes.queue(step.kind, async () => {
      await this.runJob(entry, step, job.abort.signal);
      entry.job = undefined;
      queueMicrotask(() => this.turn(taskId));
    });
  }

  /** Does the step and looks at what came of it. Never throws. */
  private async runJob(entry: Entry, step: EngineStep, signal: AbortSignal): Promise<void> {
    const startedAtMs = this.parts.clock.elapsedMs();
    try {
      if (!signal.aborted && !this.stopping.signal.aborted) await this.execute(entry, step, signal);
      await this.lookAgain(entry, step);
    } catch (error) {
      await this.stepFailed(entry, step, error, signal);
    } finally {
      const seconds = (this.parts.clock.elapsedMs() - startedAtMs) / 1000;
      this.parts.metrics.stepSeconds.observe({ step: step.kind }, seconds);
    }
  }

  private async execute(entry: Entry, step: EngineStep, signal: AbortSignal): Promise<void> {
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
  private async lookAgain(entry: Entry, step: EngineStep): Promise<void> {
    const containerId = 'containerId' in step ? step.containerId : entry.memory?.containerId;
    if (step.kind === 'pull' || containerId === undefined) return;
    entry.looks += 1;
    const container = await this.parts.engine.look(this.parts.clusterId, containerId);
    if (container) entry.containers.set(container.id, container);
    else entry.containers.delete(containerId);
  }

  private async stepFailed(entry: Entry, step: EngineStep, error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted && step.kind === 'pull') return;
    if (!(error instanceof StepRefused)) return this.waitForEngine(entry, step, error);
    if (error.step === 'create' && isMissingImage(error) && entry.memory && !entry.memory.needsImage) {
      entry.memory = { ...entry.memory, needsImage: true };
      return;
    }
    // Even a task to be stopped meanwhile: what was made before the refusal has to be removed.
    await this.lookAgain(entry, step).catch((lookError) => this.waitForEngine(entry, step, lookError));
    if (entry.memory && !signal.aborted) {
      const refused = refuseAttempt(entry.memory, entry.record, { step: error.step, words: error.message }, this.now());
      this.remember(entry, refused);
    }
  }

  /** The engine (or the bus that has a secret) is away, which is no fault of the task: resolves when to try again. */
  private async waitForEngine(entry: Entry, step: EngineStep, error: unknown): Promise<void> {
    const code = error instanceof PlimsollError ? error.code : 'internal';
    const fields = { taskId: entry.record.id, step: step.kind, error: messageOf(error), retryMs: ENGINE_RETRY_MS };
    if (error instanceof PayloadAwayError) {
      this.parts.log.warn(fields, 'a secret or config cannot be had from the cluster: trying again');
    } else {
      this.parts.metrics.engineFailures.inc({ code });
      this.parts.log.warn(fields, 'the engine did not do a step: trying again');
    }
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.parts.clock.sleep(ENGINE_RETRY_MS, signal).catch(() => undefined);
      const looked = await this.lookAgain(entry, step).then(
        () => true,
        () => false,
      );
      if (looked) return;
    }
  }

  private countOrphans(): void {
    this.parts.metrics.orphans.set(this.orphans().length);
  }

  private now(): Now {
    return { wallMs: this.parts.clock.wallMs(), elapsedMs: this.parts.clock.elapsedMs() };
  }
}

function groupByTask(containers: readonly ObservedContainer[]): Map<string, ObservedContainer[]> {
  const groups = new Map<string, ObservedContainer[]>();
  for (const container of containers)
    groups.set(container.taskId, [...(groups.get(container.taskId) ?? []), container]);
  return groups;
}

function isMissingImage(error: StepRefused): boolean {
  return error.refusal.code === 'not-found' && /no such image/i.test(error.message);
}
