/** Brings assignments from the bus to the supervisor: fenced, and with a second look before most tasks would be stopped. */
import type { Bucket, BucketView, Entry } from '../bus/bus.ts';
import { isSameWrite, type Write } from '../bus/same-write.ts';
import type { TaskRecord } from '../model/task-record.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { type EpochStarts, highestEpoch, isStale, noteEpochs } from './plan/fencing.ts';
import type { TaskSupervisor } from './task-supervisor.ts';

/** Fewer running tasks than this are stopped without asking. */
const ASK_FROM_TASKS = 4;

export interface FeedParts {
  readonly nodeId: string;
  readonly tasks: Pick<Bucket<TaskRecord>, 'get'>;
  readonly view: BucketView<TaskRecord>;
  readonly supervisor: TaskSupervisor;
  readonly log: Log;
  readonly metrics: AgentMetrics;
}

export class AssignmentFeed {
  private readonly parts: FeedParts;
  private starts: EpochStarts = new Map();
  /** Which write of each record was handed on. */
  private readonly handedOn = new Map<string, Write>();
  private readonly refused = new Set<number>();
  private highestRevision = 0;
  /** Batches are worked on one after another: the second look takes time. */
  private queue: Promise<void> = Promise.resolve();
  private readonly stopListening: () => void;

  constructor(parts: FeedParts) {
    this.parts = parts;
    this.stopListening = parts.view.onChange(() => void this.pass());
  }

  /** The highest lease epoch seen in an assignment. */
  get epoch(): number {
    return highestEpoch(this.starts);
  }

  /** Compares everything the bus says with what the supervisor was told; resolves when the differences are handed on. */
  pass(): Promise<void> {
    this.queue = this.queue
      .then(() => this.handOn())
      .catch((error) => this.parts.log.error({ error: messageOf(error) }, 'could not take assignments over'));
    return this.queue;
  }

  stop(): Promise<void> {
    this.stopListening();
    return this.queue;
  }

  private async handOn(): Promise<void> {
    const entries = [...this.parts.view.entries.values()];
    this.noteRestart(entries);
    this.starts = noteEpochs(this.starts, entries.map(writeOf));
    const news = entries.filter((entry) => this.isNews(entry));
    for (const entry of await this.sure(news)) {
      this.handedOn.set(entry.value.id, entry);
      this.parts.supervisor.assign(entry.value);
    }
    this.takeAbsent();
  }

  /**
   * Numbers that go back say that the bucket was made anew or restored: what was known of its order is void. Where they have
   * caught up before anybody looked, a number that stands for another write than before says so.
   */
  private noteRestart(entries: readonly Entry<TaskRecord>[]): void {
    const { revision } = this.parts.view;
    if (revision < this.highestRevision || entries.some((entry) => this.isFromBefore(entry))) {
      this.parts.log.warn({ revision, before: this.highestRevision }, 'the assignments were made anew or restored');
      this.starts = new Map();
      this.refused.clear();
      this.handedOn.clear();
    }
    this.highestRevision = revision;
  }

  /** Not the write that was handed on, and not a later one: from a history that went another way. */
  private isFromBefore(entry: Entry<TaskRecord>): boolean {
    const known = this.handedOn.get(entry.value.id);
    return known !== undefined && entry.revision <= known.revision && !isSameWrite(known, entry);
  }

  private isNews(entry: Entry<TaskRecord>): boolean {
    if (entry.value.nodeId !== this.parts.nodeId) return false;
    if (isSameWrite(this.handedOn.get(entry.value.id), entry)) return false;
    if (!isStale(this.starts, writeOf(entry))) return true;
    if (!this.refused.has(entry.revision)) {
      this.refused.add(entry.revision);
      this.parts.metrics.staleRecords.inc();
      const fields = { taskId: entry.value.id, epoch: entry.value.epoch, newestEpoch: this.epoch };
      this.parts.log.warn(fields, 'refused an assignment written under an old lease');
    }
    return false;
  }

  /** Records the bus no longer has. Their tasks go on as orphans until the leader says otherwise. */
  private takeAbsent(): void {
    const present = new Set([...this.parts.view.entries.values()].map((entry) => entry.value.id));
    for (const { record, orphaned } of this.parts.supervisor.here.tasks()) {
      if (present.has(record.id) || orphaned || this.parts.view.quarantined.has(keyOf(record))) continue;
      this.handedOn.delete(record.id);
      this.parts.supervisor.unassign(record.id);
    }
  }

  /** When more than half of the running tasks would stop at once, each such record is read again from the bucket itself. */
  private async sure(news: readonly Entry<TaskRecord>[]): Promise<readonly Entry<TaskRecord>[]> {
    const running = this.parts.supervisor.here.tasks().filter(({ containers }) => containers.some(isRunning));
    const stops = news.filter(({ value }) => value.desired === 'stopped' && running.some(isTask(value.id)));
    if (running.length < ASK_FROM_TASKS || stops.length * 2 <= running.length) return news;
    this.parts.metrics.massStopsChecked.inc();
    this.parts.log.warn(
      { stops: stops.length, running: running.length },
      'told to stop most tasks: asking again first',
    );
    const confirmed = await Promise.all(stops.map((entry) => this.isConfirmed(entry)));
    return news.filter((entry) => !stops.includes(entry) || confirmed[stops.indexOf(entry)]);
  }

  private async isConfirmed(entry: Entry<TaskRecord>): Promise<boolean> {
    const stored = await this.parts.tasks.get(entry.key).catch(() => undefined);
    return stored?.value.desired === 'stopped' && !isStale(this.starts, writeOf(stored));
  }
}

function keyOf(record: TaskRecord): string {
  return `${record.nodeId}.${record.id}`;
}

function writeOf(entry: Entry<TaskRecord>) {
  return { revision: entry.revision, epoch: entry.value.epoch };
}

function isRunning(container: { readonly phase: string }): boolean {
  return container.phase === 'running';
}

function isTask(taskId: string) {
  return (task: { readonly record: TaskRecord }) => task.record.id === taskId;
}
