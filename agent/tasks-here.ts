/** What is asked of this node beside what its engine shows. It plans nothing. */
import type { Orphan } from '../model/messages.ts';
import type { TaskRecord } from '../model/task-record.ts';
import { PlimsollError } from '../runtime/errors.ts';
import { groupBy } from '../runtime/group-by.ts';
import { needsContact } from './contact.ts';
import type { ObservedContainer } from './plan/observed-container.ts';
import type { Probers } from './probe/probers.ts';
import { newTaskEntry, type SupervisedTask, type TaskEntry } from './supervised-task.ts';

export class TasksHere {
  private readonly probes: Pick<Probers, 'view'> | undefined;
  private readonly entries = new Map<string, TaskEntry>();
  /** Containers of this cluster nobody ever assigned to us, by id. */
  private readonly strays = new Map<string, ObservedContainer>();
  private hasList = false;

  /** `probes` is absent where no container can be asked. */
  constructor(probes: Pick<Probers, 'view'> | undefined) {
    this.probes = probes;
  }

  /** Whether the engine has been seen once: unseen is not absent. */
  get seen(): boolean {
    return this.hasList;
  }

  tasks(): SupervisedTask[] {
    return [...this.entries.values()].map((entry) => this.asOthersSee(entry));
  }

  task(taskId: string): SupervisedTask | undefined {
    const entry = this.entries.get(taskId);
    return entry && this.asOthersSee(entry);
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

  /** Whether a task runs here only while the leader is heard. */
  get needsContact(): boolean {
    for (const { record } of this.entries.values()) if (needsContact(record)) return true;
    return false;
  }

  all(): Iterable<TaskEntry> {
    return this.entries.values();
  }

  entry(taskId: string): TaskEntry | undefined {
    return this.entries.get(taskId);
  }

  /** Takes up a task with the containers it already has here. */
  add(record: TaskRecord): TaskEntry {
    const containers = [...this.strays.values()].filter((container) => container.taskId === record.id);
    for (const container of containers) this.strays.delete(container.id);
    const entry = newTaskEntry(record, containers);
    this.entries.set(record.id, entry);
    return entry;
  }

  remove(taskId: string): void {
    this.entries.delete(taskId);
  }

  looksSoFar(): Map<string, number> {
    return new Map([...this.entries].map(([taskId, entry]) => [taskId, entry.looks]));
  }

  /** Takes over a full list of our containers. `startedAt` is what `looksSoFar()` said before the list was asked for. */
  takeList(containers: readonly ObservedContainer[], startedAt: ReadonlyMap<string, number>): void {
    this.hasList = true;
    const byTask = groupBy(containers, ({ taskId }) => taskId);
    this.strays.clear();
    for (const [taskId, group] of byTask) {
      if (!this.entries.has(taskId)) for (const container of group) this.strays.set(container.id, container);
    }
    for (const [taskId, entry] of this.entries) {
      const touchedSince = entry.job !== undefined || entry.looks !== (startedAt.get(taskId) ?? 0);
      if (!touchedSince) entry.containers = new Map((byTask.get(taskId) ?? []).map((one) => [one.id, one]));
    }
  }

  /** What a look at one container showed; undefined: it is gone. */
  takeLook(containerId: string, container: ObservedContainer | undefined, entry: TaskEntry | undefined): void {
    const containers = entry?.containers ?? this.strays;
    if (container) containers.set(containerId, container);
    else containers.delete(containerId);
  }

  /** As the engine shows them and the probes see them. */
  containersOf(entry: TaskEntry): ObservedContainer[] {
    const { probes } = this;
    const containers = [...entry.containers.values()];
    return probes ? containers.map((container) => probes.view(container)) : containers;
  }

  private asOthersSee(entry: TaskEntry): SupervisedTask {
    return { ...entry, containers: this.containersOf(entry) };
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
}
