/** Tells the bus what became of each task: the newest status per task, sent until it is acknowledged. */
import { setMaxListeners } from 'node:events';
import type { Bucket, BucketView } from '../bus/bus.ts';
import type { StatusRecord } from '../model/status-record.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { KeyedQueue } from '../runtime/keyed-queue.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { UnnumberedStatus } from './plan/status.ts';

const SENDS_AT_ONCE = 16;
const RETRY = { firstMs: 100, maxMs: 5_000 };

export interface ReporterParts {
  readonly statuses: Pick<Bucket<StatusRecord>, 'put' | 'delete'>;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AgentMetrics;
}

interface Report {
  status: StatusRecord | undefined;
  text: string;
  /** The text last acknowledged by the bus. */
  acknowledged: string | undefined;
  failures: number;
}

export class StatusReporter {
  private readonly parts: ReporterParts;
  private readonly reports = new Map<string, Report>();
  private readonly queue = new KeyedQueue(SENDS_AT_ONCE);
  private readonly stopping = new AbortController();

  constructor(parts: ReporterParts) {
    this.parts = parts;
    // Each of them waits for the end while it waits to try again.
    setMaxListeners(SENDS_AT_ONCE, this.stopping.signal);
  }

  /** Takes the task's present status; sends it when it differs from the one before. */
  report(status: UnnumberedStatus): void {
    const text = JSON.stringify(status);
    const before = this.reports.get(status.taskId);
    if (before?.text === text) return;
    const sequence = (before?.status?.sequence ?? 0) + 1;
    const acknowledged = before?.acknowledged;
    this.reports.set(status.taskId, { status: { ...status, sequence }, text, acknowledged, failures: 0 });
    this.send(status.taskId);
  }

  /** The task is gone for good: takes its status off the bus. */
  forget(taskId: string): void {
    this.reports.set(taskId, { status: undefined, text: '', acknowledged: undefined, failures: 0 });
    this.send(taskId);
  }

  /** Sends everything again: the bus was away, or lost what it had. */
  sendAll(): void {
    for (const [taskId, report] of this.reports) {
      this.sendAgain(taskId, report);
    }
  }

  /** Sends what the bus lacks or has in an older form, takes off what is of no task here (`isKnown` says which are). */
  compareWith(view: BucketView<StatusRecord>, isKnown: (taskId: string) => boolean): void {
    if (!view.current) return;
    for (const [taskId, report] of this.reports) {
      const stored = view.entries.get(this.keyOf(taskId))?.value;
      if (report.status !== undefined && !isSame(stored, report.status)) this.sendAgain(taskId, report);
    }
    for (const { value } of view.entries.values()) {
      if (!this.reports.has(value.taskId) && !isKnown(value.taskId)) this.forget(value.taskId);
    }
  }

  /** Keys of the bucket changed: those that vanished though their task lives are sent again at once. */
  restore(view: BucketView<StatusRecord>, keys: readonly string[]): void {
    const vanished = new Set(keys.filter((key) => !view.entries.has(key)));
    for (const [taskId, report] of this.reports) {
      if (report.status !== undefined && vanished.has(this.keyOf(taskId))) this.sendAgain(taskId, report);
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.queue.idle();
  }

  private send(taskId: string): void {
    this.queue.offer(taskId, async () => {
      while (!this.stopping.signal.aborted && this.isDue(taskId)) await this.sendOnce(taskId);
    });
  }

  private sendAgain(taskId: string, report: Report): void {
    report.acknowledged = undefined;
    this.send(taskId);
  }

  private keyOf(taskId: string): string {
    return `${this.parts.nodeId}.${taskId}`;
  }

  private isDue(taskId: string): boolean {
    const report = this.reports.get(taskId);
    return report !== undefined && report.acknowledged !== report.text;
  }

  private async sendOnce(taskId: string): Promise<void> {
    const report = this.reports.get(taskId);
    if (!report) return;
    const key = this.keyOf(taskId);
    const { text } = report;
    try {
      if (report.status) await this.parts.statuses.put(key, report.status);
      else await this.parts.statuses.delete(key);
      this.acknowledge(taskId, text);
    } catch (error) {
      report.failures += 1;
      this.parts.metrics.statusRetries.inc();
      this.parts.log.debug({ taskId, error: messageOf(error) }, 'the bus did not take a status: trying again');
      await this.parts.clock.sleep(backoffMs(RETRY, report.failures), this.stopping.signal).catch(() => undefined);
    }
  }

  /** A newer status may have come meanwhile: then what was acknowledged is not it. */
  private acknowledge(taskId: string, text: string): void {
    const current = this.reports.get(taskId);
    if (!current) return;
    current.acknowledged = text;
    if (current.status === undefined && text === '') this.reports.delete(taskId);
  }
}

function isSame(stored: StatusRecord | undefined, own: StatusRecord): boolean {
  return stored?.incarnation === own.incarnation && stored.sequence === own.sequence;
}
