/** A node without an engine on any bus: registers, beats, and reports what a well-behaved agent would. */

import { z } from 'zod';
import type { Buckets } from '../../bus/buckets.ts';
import type { BucketView, Bus, Subscription } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import { ProbeRequest } from '../../model/messages.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import { derivedId } from '../../runtime/identifiers.ts';

const DEFAULT_BEAT_MS = 200;
/** As the agent: whatever the bus may have lost is told again. */
const FULL_PASS_MS = 30_000;

export class FakeNode {
  readonly id: string;
  readonly name: string;
  private readonly bus: Bus;
  private readonly buckets: Buckets;
  private readonly clock: Clock;
  private readonly beatMs: number;
  private readonly stopping = new AbortController();
  private readonly answers: Subscription[] = [];
  /** Keys of the tasks it has reported as running. */
  readonly running = new Set<string>();
  private view: BucketView<TaskRecord> | undefined;
  private sequence = 0;

  /** Agents beat every 500 ms; more often stands for more of them. */
  constructor(name: string, connection: { bus: Bus; buckets: Buckets }, clock: Clock, beatMs = DEFAULT_BEAT_MS) {
    this.name = name;
    this.id = derivedId('node', name);
    this.bus = connection.bus;
    this.buckets = connection.buckets;
    this.clock = clock;
    this.beatMs = beatMs;
  }

  /** Begins a life; `incarnation` counts them. */
  async start(incarnation = 1): Promise<void> {
    const record = {
      v: 1 as const,
      id: this.id,
      incarnation,
      hostname: this.name,
      address: '127.0.0.1',
      agentVersion: '0',
      agentPort: 1,
      engine: {
        version: '1',
        apiVersion: '1.41',
        os: 'linux',
        architecture: 'x86_64',
        labels: {},
        plugins: [],
        liveRestore: true,
      },
      resources: { nanoCpus: 4e9, memoryBytes: 8 * 2 ** 30 },
      manager: false,
    };
    await this.buckets.nodes.put(this.id, record);
    this.answers.push(
      this.bus.answer(this.id, 'probe', ProbeRequest, async () => ({ reachable: false, error: 'no answer' })),
      this.bus.answer(this.id, 'orphans', z.object({}), async () => ({ orphans: [] })),
    );
    this.view = await this.buckets.tasks.watch(`${this.id}.>`);
    this.view.onChange((keys) => void this.report(keys, incarnation));
    void this.report([...this.view.entries.keys()], incarnation);
    void this.beat(incarnation);
    void this.reportAgain(incarnation);
  }

  /** Silence, as of a host without power. */
  async stop(): Promise<void> {
    this.stopping.abort();
    for (const answer of this.answers) answer.stop();
    await this.view?.close();
  }

  private async beat(incarnation: number): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.sequence += 1;
      const { id: nodeId, sequence } = this;
      const beat = { nodeId, incarnation, sequence, mainLoopAgeMs: 1, engineResponsive: true, epoch: 0 };
      this.bus.publish(subjects.beat(nodeId), beat);
      await this.clock.sleep(this.beatMs, this.stopping.signal).catch(() => undefined);
    }
  }

  private async reportAgain(incarnation: number): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.clock.sleep(FULL_PASS_MS, signal).catch(() => undefined);
      await this.report([...(this.view?.entries.keys() ?? [])], incarnation);
    }
  }

  private async report(keys: readonly string[], incarnation: number): Promise<void> {
    for (const key of keys) {
      if (this.stopping.signal.aborted) return;
      const task = this.view?.entries.get(key)?.value;
      if (task) await this.buckets.statuses.put(key, statusOf(task, incarnation, this.sequence));
      else await this.buckets.statuses.delete(key);
      if (task?.desired === 'running') this.running.add(key);
      else this.running.delete(key);
    }
  }
}

function statusOf(task: TaskRecord, incarnation: number, sequence: number): StatusRecord {
  const state = { ready: 'ready', running: 'running', stopped: 'shutdown' } as const;
  return {
    v: 1,
    taskId: task.id,
    serviceId: task.serviceId,
    slot: task.slot,
    nodeId: task.nodeId,
    revision: task.revision,
    incarnation,
    attempt: 1,
    sequence,
    state: state[task.desired],
    ready: task.desired === 'running',
    health: 'none',
    removed: task.desired === 'stopped',
    containerId: `container-of-${task.id}`,
    message: 'started',
    changedAtMs: task.createdAtMs,
    failures: 0,
    restarts: 0,
    oomKills: 0,
    exits: [],
    final: false,
  };
}
