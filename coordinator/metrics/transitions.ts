/**
 * What the cluster's records tell by how they change: how long tasks waited for a node, took to start, to be replaced
 * after the loss of a node, how long roll-outs took, and why tasks were started anew. A small memory per task and pure
 * transitions; what was there before the watching began is taken as known and measured no more.
 *
 * Durations between records are taken from the times the bus gave them: those are all of one clock.
 */
import type { Entry } from '../../bus/bus.ts';
import { containerLabels } from '../../model/labels.ts';
import type { NodeRecord } from '../../model/node-record.ts';
import type { RolloutRecord } from '../../model/rollout-record.ts';
import type { ScaleRecord } from '../../model/scale-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { SlotRecord } from '../../model/slot-record.ts';
import type { ExitRecord, StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { NodeState } from '../store/snapshot.ts';

export const restartReasons = ['failed', 'oom', 'completed', 'rejected', 'replaced', 'unknown'] as const;
export type RestartReason = (typeof restartReasons)[number];

export interface ServiceName {
  readonly service: string;
  readonly stack: string;
}

export type Observation =
  | { readonly kind: 'scheduled' | 'started' | 'failed-over'; readonly seconds: number }
  | { readonly kind: 'rolled-out'; readonly outcome: 'completed' | 'rolled-back'; readonly seconds: number }
  | { readonly kind: 'restarted'; readonly name: ServiceName; readonly reason: RestartReason }
  | { readonly kind: 'oom-killed'; readonly name: ServiceName; readonly count: number };

/** The other records as they are when one changes. Keys are the buckets' own. */
export interface KnownRecords {
  service(id: string): Entry<ServiceRecord> | undefined;
  scale(serviceId: string): Entry<ScaleRecord> | undefined;
  node(id: string): Entry<NodeRecord> | undefined;
  slot(key: string): Entry<SlotRecord> | undefined;
  status(key: string): Entry<StatusRecord> | undefined;
}

interface TaskMemory {
  readonly name: ServiceName;
  /** When the task was told to run, until it does. */
  readonly wantedAtMs: number | undefined;
  /** The lost node whose task this one stands in for, until it runs. */
  readonly standsInForNode: string | undefined;
  readonly attempt: number;
  readonly restarts: number;
  readonly oomKills: number;
}

export class Transitions {
  private readonly known: KnownRecords;
  private readonly tasks = new Map<string, TaskMemory>();
  private readonly pendingSinceMs = new Map<string, number>();
  private readonly lostSinceMs = new Map<string, number>();
  private readonly rollouts = new Map<string, RolloutRecord['state']>();

  constructor(known: KnownRecords) {
    this.known = known;
  }

  /** An assignment was written, or is gone (undefined). */
  onTask(key: string, entry: Entry<TaskRecord> | undefined): Observation[] {
    if (!entry) {
      this.tasks.delete(key);
      return [];
    }
    const before = this.tasks.get(key);
    const status = this.known.status(key);
    const isRunning = status?.value.state === 'running';
    const wantsToRun = entry.value.desired === 'running' && !isRunning;
    const wantedAtMs = wantsToRun ? (before?.wantedAtMs ?? entry.writtenAtMs) : undefined;
    this.tasks.set(key, before ? { ...before, wantedAtMs } : this.newMemory(entry.value, status?.value, wantedAtMs));
    if (before || status) return [];
    return this.scheduled(entry);
  }

  /** An agent has reported a task; `nowMs` is elapsed time, here and below. A report that vanished says nothing: the agent will say it again. */
  onStatus(key: string, entry: Entry<StatusRecord> | undefined, nowMs: number): Observation[] {
    const memory = this.tasks.get(key);
    if (!memory || !entry) return [];
    const { value: status } = entry;
    const runs = status.state === 'running';
    this.tasks.set(key, {
      ...memory,
      ...(runs ? { wantedAtMs: undefined, standsInForNode: undefined } : {}),
      attempt: status.attempt,
      restarts: status.restarts,
      oomKills: status.oomKills,
    });
    const beginnings = runs ? this.began(memory, entry.writtenAtMs, nowMs) : [];
    return [...beginnings, ...restartsSince(memory, status), ...oomKillsSince(memory, status)];
  }

  /** Remembers since when a slot waits for a node. One that neither waits nor has a task has given up: its wait is over. */
  onSlot(key: string, entry: Entry<SlotRecord> | undefined): void {
    const isPending = entry?.value.pending !== undefined;
    if (!entry || (!isPending && entry.value.assigned.length === 0)) this.pendingSinceMs.delete(key);
    else if (isPending && !this.pendingSinceMs.has(key)) this.pendingSinceMs.set(key, entry.writtenAtMs);
  }

  onNodeState(nodeId: string, state: NodeState | undefined, nowMs: number): void {
    if (state !== 'lost') this.lostSinceMs.delete(nodeId);
    else if (!this.lostSinceMs.has(nodeId)) this.lostSinceMs.set(nodeId, nowMs);
  }

  onRollout(serviceId: string, entry: Entry<RolloutRecord> | undefined): Observation[] {
    const before = this.rollouts.get(serviceId);
    if (!entry) {
      this.rollouts.delete(serviceId);
      return [];
    }
    const { state, startedAtMs, completedAtMs } = entry.value;
    this.rollouts.set(serviceId, state);
    const wasUnderWay = before === 'updating' || before === 'rollback_started';
    if (!wasUnderWay || completedAtMs === undefined) return [];
    const outcome = state === 'rollback_completed' ? 'rolled-back' : 'completed';
    return [{ kind: 'rolled-out', outcome, seconds: secondsBetween(startedAtMs, completedAtMs) }];
  }

  private newMemory(task: TaskRecord, status: StatusRecord | undefined, wantedAtMs: number | undefined): TaskMemory {
    const surge = this.known.slot(slotKey(task))?.value.surge;
    const isStandIn = surge !== undefined && surge.lostTaskId !== task.id && this.lostSinceMs.has(surge.lostNodeId);
    return {
      name: { service: task.serviceName, stack: task.serviceLabels[containerLabels.stackNamespace] ?? '' },
      wantedAtMs,
      standsInForNode: isStandIn ? surge.lostNodeId : undefined,
      attempt: status?.attempt ?? 1,
      restarts: status?.restarts ?? 0,
      oomKills: status?.oomKills ?? 0,
    };
  }

  /**
   * From the wish to the assignment. Only where the wait was one for a node: tasks of a roll-out wait for their turn, a
   * stand-in's wait is part of the failover's.
   */
  private scheduled({ value: task, writtenAtMs }: Entry<TaskRecord>): Observation[] {
    const key = slotKey(task);
    const pendingSinceMs = this.pendingSinceMs.get(key);
    this.pendingSinceMs.delete(key);
    const wishedAtMs = pendingSinceMs ?? this.wishedAtMs(task, key);
    return wishedAtMs === undefined ? [] : [{ kind: 'scheduled', seconds: secondsBetween(wishedAtMs, writtenAtMs) }];
  }

  /** When the first task of a slot was wished for: with the service's last change, by the autoscaler, or once there was the node for it. */
  private wishedAtMs(task: TaskRecord, key: string): number | undefined {
    const service = this.known.service(task.serviceId);
    const slot = this.known.slot(key);
    if (!service || !slot || slot.value.tasksMade > 1 || slot.value.surge) return undefined;
    const nodeSinceMs = task.slot === 0 ? (this.known.node(task.nodeId)?.writtenAtMs ?? 0) : 0;
    const scaledAtMs = this.known.scale(task.serviceId)?.value.changedAtMs ?? 0;
    return Math.max(service.writtenAtMs, nodeSinceMs, scaledAtMs);
  }

  private began({ wantedAtMs, standsInForNode }: TaskMemory, reportedAtMs: number, nowMs: number): Observation[] {
    const lostSinceMs = standsInForNode === undefined ? undefined : this.lostSinceMs.get(standsInForNode);
    return [
      ...(wantedAtMs === undefined
        ? []
        : [{ kind: 'started' as const, seconds: secondsBetween(wantedAtMs, reportedAtMs) }]),
      ...(lostSinceMs === undefined
        ? []
        : [{ kind: 'failed-over' as const, seconds: secondsBetween(lostSinceMs, nowMs) }]),
    ];
  }
}

function slotKey(task: TaskRecord): string {
  return `${task.serviceId}.${task.slot === 0 ? task.nodeId : task.slot}`;
}

/** Clocks that were set back make no negative duration. */
function secondsBetween(fromMs: number, toMs: number): number {
  return Math.max(0, toMs - fromMs) / 1000;
}

/** One observation per restart; the status keeps the last few ends of attempts, what is older has no known reason. */
function restartsSince(memory: TaskMemory, status: StatusRecord): Observation[] {
  const ends = status.exits.filter(({ attempt }) => attempt >= memory.attempt && attempt < status.attempt);
  return Array.from({ length: Math.max(0, status.restarts - memory.restarts) }, (_, index) => {
    const end = ends.at(-1 - index);
    return { kind: 'restarted', name: memory.name, reason: end ? reasonOf(end) : 'unknown' };
  });
}

function reasonOf({ state, oomKilled }: ExitRecord): RestartReason {
  if (oomKilled) return 'oom';
  if (state === 'complete') return 'completed';
  return state === 'shutdown' ? 'replaced' : state;
}

function oomKillsSince(memory: TaskMemory, status: StatusRecord): Observation[] {
  const count = status.oomKills - memory.oomKills;
  return count > 0 ? [{ kind: 'oom-killed', name: memory.name, count }] : [];
}
