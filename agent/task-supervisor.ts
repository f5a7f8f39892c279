/**
 * Holds what is asked of this node beside what its engine shows and turns one task at a time: plan, do the one step,
 * look, plan again. Absence stops nothing here: a task whose record vanished is an orphan and goes on.
 */
import type { Orphan } from '../model/messages.ts';
import type { TaskRecord } from '../model/records.ts';
import { stopGracePeriodMs } from '../model/service-defaults.ts';
import { type Clock, nowOn, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { type Contact, needsContact } from './contact.ts';
import type { Engine } from './engine/engine.ts';
import type { ObservedContainer } from './plan/observed-container.ts';
import type { Permit } from './plan/permit.ts';
import type { planTask } from './plan/plan-task.ts';
import { statusOf, type UnnumberedStatus } from './plan/status.ts';
import type { Step } from './plan/step.ts';
import { hasEnded, type TaskMemory } from './plan/task-memory.ts';
import type { Probers } from './probe/probers.ts';
import type { EngineStep } from './step-executor.ts';
import { StepLanes } from './step-lanes.ts';
import { StepRunner, type StepRunnerParts } from './step-runner.ts';
import { newTaskEntry, type SupervisedTask, type TaskEntry } from './supervised-task.ts';

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
  private readonly entries = new Map<string, TaskEntry>();
  /** Containers of this cluster nobody ever assigned to us, by id. */
  private readonly strays = new Map<string, ObservedContainer>();
  private readonly lanes: StepLanes;
  private readonly steps: StepRunner;
  private readonly stopping = new AbortController();
  /** Nothing is planned before the engine has been seen once: unseen is not absent. */
  private seen = false;

  constructor(parts: SupervisorParts) {
    this.parts = parts;
    this.lanes = new StepLanes(parts.startsAtOnce);
    const remember = (entry: TaskEntry, memory: TaskMemory) => this.remember(entry, memory);
    this.steps = new StepRunner({ ...parts, remember, stopping: this.stopping.signal });
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

  private containersWhere(isAsked: (entry: TaskEntry) => boolean): Orphan[] {
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
  private containersOf(entry: TaskEntry): ObservedContainer[] {
    const { probes } = this.parts;
    const containers = [...entry.containers.values()];
    return probes ? containers.map((container) => probes.view(container)) : containers;
  }

  private newEntry(record: TaskRecord): TaskEntry {
    const containers = [...this.strays.values()].filter((container) => container.taskId === record.id);
    for (const container of containers) this.strays.delete(container.id);
    return newTaskEntry(record, containers);
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
      { ...entry, containers: this.containersOf(entry) },
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
    const current = this.containersOf(entry).find((container) => container.attempt === memory.attempt);
    this.parts.onStatus(statusOf(entry.record, memory, current, this.parts.incarnation));
  }

  private forget(entry: TaskEntry): void {
    this.parts.probes?.follow(entry.record, []);
    this.entries.delete(entry.record.id);
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
    this.parts.metrics.orphans.set(this.orphans().length);
  }
}

function groupByTask(containers: readonly ObservedContainer[]): Map<string, ObservedContainer[]> {
  const groups = new Map<string, ObservedContainer[]>();
  for (const container of containers)
    groups.set(container.taskId, [...(groups.get(container.taskId) ?? []), container]);
  return groups;
}
