/** Says every other second what this node and its tasks use: for `plim top`, and for whoever scales. */
import { setImmediate } from 'node:timers/promises';
import type { Usage } from '../../model/messages.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Poke, runLoop } from '../../runtime/loop.ts';
import type { AgentMetrics } from '../agent-metrics.ts';
import type { ConnectionSample } from '../network/traffic/traffic.ts';
import type { ObservedContainer } from '../plan/observed-container.ts';
import { usageBetween } from './usage-between.ts';
import type { UsageMeter } from './usage-meter.ts';
import type { UsageSample } from './usage-sample.ts';

const PERIOD_MS = 2_000;
/** The disk fills slowly, and a file system may take its time to answer. */
const DISK_PERIOD_MS = 30_000;
/** Connections counted later than this belong to the next summary. */
const COUNT_MS = 500;
/** Containers read before other work gets its turn. */
const READ_AT_ONCE = 10;

export interface UsagePublisherParts {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'usageFailures'>;
  readonly meter: UsageMeter;
  readonly tasks: () => readonly { readonly record: TaskRecord; readonly containers: readonly ObservedContainer[] }[];
  /** Where the engine keeps its files; undefined before it has said so. */
  readonly rootDir: () => string | undefined;
  /** Absent where nobody counts connections. */
  readonly connections?: () => Promise<ConnectionSample | undefined>;
  /** Lost while the bus is away: the next one says it all. */
  readonly publish: (usage: Usage) => void;
}

/** Runs until the signal aborts. */
export async function publishUsage(parts: UsagePublisherParts, signal: AbortSignal): Promise<void> {
  const sampler = new Sampler(parts);
  let before: UsageSample | undefined;
  let isFailing = false;
  const tick = async () => {
    const now = await sampler.sample();
    for (const { containerId } of endedSince(before, now)) parts.meter.forget(containerId);
    parts.publish(usageBetween(parts.nodeId, before, now));
    before = { ...now, connections: now.connections ?? before?.connections };
    isFailing = false;
  };
  const onError = (error: unknown) => {
    parts.metrics.usageFailures.inc();
    if (!isFailing) parts.log.warn({ error: messageOf(error) }, 'cannot tell what this node uses: trying again');
    isFailing = true;
  };
  const times = { minGapMs: 0, resyncMs: PERIOD_MS, retryMs: PERIOD_MS };
  await runLoop({ tick, poke: new Poke(), times, clock: parts.clock, onError }, signal);
}

function endedSince(before: UsageSample | undefined, now: UsageSample): UsageSample['tasks'] {
  const running = new Set(now.tasks.map(({ containerId }) => containerId));
  return (before?.tasks ?? []).filter(({ containerId }) => !running.has(containerId));
}

class Sampler {
  private readonly parts: UsagePublisherParts;
  private disk: UsageSample['disk'];
  private diskReadAtMs: number | undefined;
  private isCounting = false;
  private cannotCount = false;

  constructor(parts: UsagePublisherParts) {
    this.parts = parts;
  }

  async sample(): Promise<UsageSample> {
    const host = this.parts.meter.host();
    if (!host) throw new PlimsollError('internal', 'Cannot read stat, meminfo or loadavg below /proc');
    this.readDisk();
    const connections = await this.sampleConnections();
    return { host, disk: this.disk, tasks: await this.sampleTasks(), connections };
  }

  /** A host that is slow to answer delays nothing for long, and is not asked a second time meanwhile. */
  private async sampleConnections(): Promise<UsageSample['connections']> {
    const { connections, clock } = this.parts;
    if (connections === undefined || this.isCounting) return undefined;
    this.isCounting = true;
    const counted = connections()
      .then((sample) => {
        // Nothing is answered for a while after a refusal, too: that is no success, and the next refusal no news.
        if (sample !== undefined) this.cannotCount = false;
        return sample;
      }, this.notCounted)
      .finally(() => {
        this.isCounting = false;
      });
    const late = () => new PlimsollError('timeout', `not counted within ${COUNT_MS} ms`);
    return withDeadline(clock, COUNT_MS, counted, late).catch(() => undefined);
  }

  private readonly notCounted = (error: unknown): undefined => {
    const { log, metrics } = this.parts;
    metrics.usageFailures.inc();
    if (!this.cannotCount) log.warn({ error: messageOf(error) }, 'cannot count connections of tasks: trying again');
    this.cannotCount = true;
  };

  private async sampleTasks(): Promise<UsageSample['tasks']> {
    const sampled: UsageSample['tasks'][number][] = [];
    let read = 0;
    for (const { record, containers } of this.parts.tasks()) {
      for (const container of containers) {
        if (container.phase !== 'running') continue;
        const sample = this.parts.meter.container(container);
        if (sample) sampled.push({ ...measuredTask(record), containerId: container.id, sample });
        read += 1;
        if (read % READ_AT_ONCE === 0) await setImmediate();
      }
    }
    return sampled;
  }

  /** Beside the loop: a file system that hangs delays nothing, and is not asked a second time meanwhile. */
  private readDisk(): void {
    const { clock, meter, log, metrics, rootDir } = this.parts;
    const directory = rootDir();
    const isDue = this.diskReadAtMs === undefined || clock.elapsedMs() - this.diskReadAtMs >= DISK_PERIOD_MS;
    if (directory === undefined || !isDue) return;
    this.diskReadAtMs = Number.POSITIVE_INFINITY;
    const failed = (error: unknown) => {
      metrics.usageFailures.inc();
      log.debug({ directory, error: messageOf(error) }, 'cannot tell how full the file system of the engine is');
      return undefined;
    };
    void meter
      .disk(directory)
      .catch(failed)
      .then((disk) => {
        this.disk = disk;
        this.diskReadAtMs = clock.elapsedMs();
      });
  }
}

function measuredTask({ id, serviceId, template }: TaskRecord) {
  const nanoCpus = template.Resources?.Limits?.NanoCPUs;
  return { taskId: id, serviceId, cpuLimitCores: nanoCpus ? nanoCpus / 1e9 : undefined };
}
