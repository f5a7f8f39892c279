/** The leader's thinking: from everything known at one moment to the writes that bring the cluster closer to its wishes. */
import type { Orphan } from '../../model/messages.ts';
import type { StatusRecord, TaskRecord } from '../../model/records.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Chain, Moment, Plan, PlanFailure } from './actions.ts';
import { untilGivenUpMs } from './failover.ts';
import { DEFAULT_HISTORY_LIMIT } from './history.ts';
import { planNetworks } from './network/plan-networks.ts';
import { enginePatienceEndsMs, nodesOf, type PlanNode } from './nodes.ts';
import { Occupancy } from './occupancy.ts';
import type { Trace } from './restore.ts';
import { planService, type ServicePlanning } from './service.ts';
import { Slot, type SlotTask, slotKeyOf, slotTaskOf } from './slot.ts';

/** A container without an assignment, on the node that reported it. */
export type NodeOrphan = Orphan & { readonly nodeId: string };

/** What the leader thinks with; tests break it on purpose. */
export type Planner = (snapshot: Snapshot, now: Moment, orphans?: readonly NodeOrphan[]) => Plan;

type ServiceId = string;
type SlotKey = string;
type BySlot<T> = ReadonlyMap<ServiceId, ReadonlyMap<SlotKey, readonly T[]>>;

/**
 * What to do now. Pure and deterministic: the same snapshot and moment give the same plan, and a cluster that is as it
 * should be gives an empty one. Nothing is ever stopped because a record is missing: a task whose service is not known is
 * left alone, a service goes only by its explicit mark.
 */
export function plan(snapshot: Snapshot, now: Moment, orphans: readonly NodeOrphan[] = []): Plan {
  const nodes = nodesOf(snapshot, now);
  const occupancy = Occupancy.of(snapshot);
  const wake = new Wake();
  wake.at(enginePatienceEndsMs(snapshot, now));
  const tasks = tasksBySlot(snapshot, nodes);
  wake.at(firstGivenUpMs(snapshot, nodes, now));
  const traces = tracesBySlot(snapshot, orphans);
  const slotKeys = slotKeysByService(snapshot);
  const planOne = (entry: ServicePlanning['entry']) => {
    const service = entry.value;
    const own = tasks.get(service.id) ?? new Map<string, SlotTask[]>();
    const ownTraces = traces.get(service.id) ?? new Map<string, Trace[]>();
    const newSlot = (key: string) =>
      new Slot(service, key, own.get(key) ?? [], snapshot.slots.get(`${service.id}.${key}`));
    const keys = new Set([...(slotKeys.get(service.id) ?? []), ...own.keys(), ...ownTraces.keys()]);
    return planService({
      entry,
      slots: new Map([...keys].sort().map((key) => [key, newSlot(key)])),
      traces: ownTraces,
      snapshot,
      nodes,
      occupancy,
      historyLimit: snapshot.cluster?.value.taskHistoryLimit ?? DEFAULT_HISTORY_LIMIT,
      now,
      wakeAt: (wallMs) => wake.at(wallMs),
      newSlot,
    });
  };
  const failures: PlanFailure[] = [];
  const chains = [...snapshot.services.values()].sort(byAge).flatMap((entry) => {
    try {
      return planOne(entry);
    } catch (error) {
      failures.push({ serviceId: entry.value.id, error });
      return [];
    }
  });
  const addresses = planNetworks({ snapshot, nodes, now, wakeAt: (wallMs) => wake.at(wallMs) });
  return {
    chains: [...chains, ...strays(snapshot, nodes), ...addresses].filter((chain) => chain.length > 0),
    failures,
    nextAtMs: wake.earliestMs,
  };
}

/** The earliest of the moments asked for. */
class Wake {
  earliestMs: number | undefined;

  at(wallMs: number | undefined): void {
    if (wallMs !== undefined) this.earliestMs = Math.min(wallMs, this.earliestMs ?? wallMs);
  }
}

function byAge(
  a: { value: { createdAtMs: number; id: string } },
  b: { value: { createdAtMs: number; id: string } },
): number {
  return a.value.createdAtMs - b.value.createdAtMs || (a.value.id < b.value.id ? -1 : 1);
}

function tasksBySlot(snapshot: Snapshot, nodes: ReadonlyMap<string, PlanNode>): BySlot<SlotTask> {
  const tasks: SlotTask[] = [];
  for (const [id, entry] of snapshot.tasks) {
    const node = nodes.get(entry.value.nodeId);
    if (node) tasks.push(slotTaskOf(entry, snapshot.statuses.get(id)?.value, node));
  }
  tasks.sort((a, b) => a.record.createdAtMs - b.record.createdAtMs || (a.record.id < b.record.id ? -1 : 1));
  return grouped(tasks, (task) => task.record);
}

/** The wall time at which the first task on a lost node is given up that is not yet. */
function firstGivenUpMs(snapshot: Snapshot, nodes: ReadonlyMap<string, PlanNode>, now: Moment): number | undefined {
  const isAnyLost = [...nodes.values()].some((node) => node.lost);
  if (!isAnyLost) return undefined;
  let first: number | undefined;
  for (const { value } of snapshot.tasks.values()) {
    const node = nodes.get(value.nodeId);
    const waitMs = node && untilGivenUpMs(value, node);
    if (waitMs) first = Math.min(first ?? waitMs, waitMs);
  }
  return first === undefined ? undefined : now.wallMs + first;
}

/** Containers that have no assignment, as the agents' status and their reports of orphans tell. */
function tracesBySlot(snapshot: Snapshot, orphans: readonly NodeOrphan[]): BySlot<Trace> {
  const reported = [...snapshot.statuses.values()].map((entry) => entry.value).filter(hasContainer);
  return grouped(
    [...reported, ...orphans].filter((trace) => !snapshot.tasks.has(trace.taskId)),
    (trace) => trace,
  );
}

function hasContainer(status: StatusRecord): boolean {
  return !status.removed && status.containerId !== undefined;
}

function grouped<T>(
  values: readonly T[],
  placeOf: (value: T) => Pick<TaskRecord, 'serviceId' | 'slot' | 'nodeId'>,
): BySlot<T> {
  const services = new Map<string, Map<string, T[]>>();
  for (const value of values) {
    const place = placeOf(value);
    const slots = services.get(place.serviceId) ?? new Map<string, T[]>();
    services.set(place.serviceId, slots);
    const key = slotKeyOf(place);
    slots.set(key, [...(slots.get(key) ?? []), value]);
  }
  return services;
}

function slotKeysByService(snapshot: Snapshot): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>();
  for (const [bucketKey, { value }] of snapshot.slots) {
    const own = keys.get(value.serviceId) ?? [];
    keys.set(value.serviceId, own);
    own.push(bucketKey.slice(value.serviceId.length + 1));
  }
  return keys;
}

/** Stopped assignments whose service is gone already: deleted once their node says (or is) so. */
function strays(snapshot: Snapshot, nodes: ReadonlyMap<string, PlanNode>): Chain[] {
  const chains: Chain[] = [];
  for (const [id, { key, value, revision }] of snapshot.tasks) {
    if (snapshot.services.has(value.serviceId) || value.desired !== 'stopped') continue;
    const isGone = snapshot.statuses.get(id)?.value.removed === true || nodes.get(value.nodeId)?.removed === true;
    const reason = 'its service is gone and so are its containers';
    if (isGone) chains.push([{ kind: 'delete-task', key, record: value, expectedRevision: revision, reason }]);
  }
  return chains;
}
