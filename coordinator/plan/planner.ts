/**
 * Plans again and again, looking only at services something has changed for. What it answers is what a plan made from
 * nothing would: a service whose last plan was empty has an empty one until one of its records, one of its nodes, or a
 * moment it waits for changes that.
 */
import type { Orphan } from '../../model/messages.ts';
import type { PlacementTable } from '../../model/placement-table.ts';
import { groupBy } from '../../runtime/group-by.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Chain, Moment, Plan, PlanFailure } from './actions.ts';
import { ClusterIndex, type SlotTrace } from './cluster-index.ts';
import { untilGivenUpMs } from './failover.ts';
import { DEFAULT_HISTORY_LIMIT } from './history.ts';
import { planNetworks } from './network/plan-networks.ts';
import { enginePatienceEndsMs } from './nodes.ts';
import { planService, type ServicePlanning } from './service.ts';
import { Slot, type SlotTask, slotKeyOf } from './slot.ts';

/** So often everything is looked at anew, whatever the changes say: a mistake in telling them apart must not last. */
const WHOLE_PLAN_MS = 30_000;

/** A container without an assignment, on the node that reported it. */
export type NodeOrphan = Orphan & { readonly nodeId: string };

type ServiceEntry = ServicePlanning['entry'];

export class RepeatedPlanner {
  private index = new ClusterIndex();
  private before: { readonly snapshot: Snapshot; readonly now: Moment } | undefined;
  private wholeAtMs = 0;
  /** Services whose last plan was not the end of it: something was to be done, could not be told, or is to be repaired. */
  private readonly restless = new Set<string>();
  /** Services with slots that found no place. */
  private readonly waiting = new Set<string>();
  /** When time alone changes what is to be done for a service, in wall milliseconds. */
  private readonly wakes = new Map<string, number>();
  /** Services without a specification that have records. */
  private readonly strays = new Set<string>();

  /** See `plan()`. */
  plan(snapshot: Snapshot, now: Moment, orphans: readonly NodeOrphan[] = []): Plan {
    const isWhole = this.mustLookAtAll(snapshot, now);
    if (isWhole) this.forgetAll(now);
    const { services, room } = this.index.update(snapshot, now);
    for (const id of services) this.noteStray(id, snapshot);
    const dirty = new Set(isWhole ? snapshot.services.keys() : [...services, ...this.restless, ...this.due(now)]);
    if (room) for (const id of this.waiting) dirty.add(id);
    for (const { serviceId } of orphans) dirty.add(serviceId);
    this.before = { snapshot, now };
    this.index.restartChanges();
    this.index.occupancy.begin();
    const failures: PlanFailure[] = [];
    const tables = new Map<string, PlacementTable>();
    const chains = entriesOf(dirty, snapshot).flatMap((entry) => {
      try {
        return this.planOne(entry, snapshot, now, orphans, tables);
      } catch (error) {
        this.restless.add(entry.value.id);
        failures.push({ of: { serviceId: entry.value.id }, error });
        return [];
      }
    });
    this.index.occupancy.undo();
    const networks = this.networks(snapshot, now, failures);
    const all = [...chains, ...this.endStrays(snapshot), ...networks.chains];
    const nextAtMs = earliest([...this.wakes.values(), enginePatienceEndsMs(snapshot, now), networks.nextAtMs]);
    return { chains: all.filter((chain) => chain.length > 0), failures, tables, nextAtMs };
  }

  private mustLookAtAll({ cluster, volumes }: Snapshot, now: Moment): boolean {
    if (!this.before) return true;
    const { now: then, snapshot } = this.before;
    const isOtherLimit = cluster?.value.taskHistoryLimit !== snapshot.cluster?.value.taskHistoryLimit;
    const isOtherVolume = volumes !== snapshot.volumes;
    const isSetBack = now.wallMs < then.wallMs || now.elapsedMs < then.elapsedMs;
    return isSetBack || now.elapsedMs - this.wholeAtMs >= WHOLE_PLAN_MS || isOtherLimit || isOtherVolume;
  }

  private forgetAll(now: Moment): void {
    this.index = new ClusterIndex();
    this.wholeAtMs = now.elapsedMs;
    for (const memory of [this.restless, this.waiting, this.wakes, this.strays]) memory.clear();
  }

  private due(now: Moment): string[] {
    return [...this.wakes].filter(([, atMs]) => atMs <= now.wallMs).map(([id]) => id);
  }

  private noteStray(id: string, snapshot: Snapshot): void {
    if (!snapshot.services.has(id)) {
      for (const memory of [this.restless, this.waiting, this.wakes]) memory.delete(id);
      this.strays.add(id);
    } else this.strays.delete(id);
  }

  private planOne(
    entry: ServiceEntry,
    snapshot: Snapshot,
    now: Moment,
    orphans: readonly NodeOrphan[],
    tables: Map<string, PlacementTable>,
  ): Chain[] {
    const { index } = this;
    const service = entry.value;
    const own = index.of(service.id);
    const tasks = groupBy([...own.tasks.values()].sort(byAge), ({ record }) => slotKeyOf(record));
    const unassigned = orphans.filter((each) => each.serviceId === service.id && !snapshot.tasks.has(each.taskId));
    const traces = groupBy<SlotTrace, string>([...own.traces.values(), ...unassigned].sort(byTaskId), slotKeyOf);
    const { doubt } = snapshot;
    const newSlot = (key: string) =>
      new Slot(service, key, tasks.get(key) ?? [], snapshot.slots.get(`${service.id}.${key}`), doubt?.sinceMs);
    const keys = new Set([...own.slotKeys, ...tasks.keys(), ...traces.keys()]);
    const slots = new Map([...keys].sort().map((key) => [key, newSlot(key)]));
    const wakes = [...own.tasks.values()].map(({ record, node }) => untilGivenUpMs(record, node) || undefined);
    let wakeAtMs = earliest(wakes.map((waitMs) => waitMs && now.wallMs + waitMs));
    const chains = planService({
      entry,
      slots,
      traces,
      snapshot,
      nodes: index.nodes,
      occupancy: index.occupancy,
      board: index.board,
      kinship: index.kinship,
      rooms: index.rooms,
      historyLimit: snapshot.cluster?.value.taskHistoryLimit ?? DEFAULT_HISTORY_LIMIT,
      now,
      wakeAt: (wallMs) => {
        wakeAtMs = Math.min(wallMs, wakeAtMs ?? wallMs);
      },
      onTable: (table) => tables.set(service.id, table),
      newSlot,
    });
    const all = [...slots.values()];
    const isDoubted = doubt?.services.has(service.id) === true;
    const isAtRest =
      !isDoubted && traces.size === 0 && chains.every((chain) => chain.length === 0) && !all.some(hasMissing);
    remember(this.restless, service.id, !isAtRest);
    remember(
      this.waiting,
      service.id,
      all.some((slot) => slot.isPending),
    );
    if (wakeAtMs === undefined) this.wakes.delete(service.id);
    else this.wakes.set(service.id, wakeAtMs);
    return chains;
  }

  private networks(
    snapshot: Snapshot,
    now: Moment,
    failures: PlanFailure[],
  ): { readonly chains: readonly Chain[]; readonly nextAtMs: number | undefined } {
    const wakes: number[] = [];
    try {
      const chains = planNetworks({ snapshot, nodes: this.index.nodes, now, wakeAt: (wallMs) => wakes.push(wallMs) });
      return { chains, nextAtMs: earliest(wakes) };
    } catch (error) {
      failures.push({ of: 'networks', error });
      return { chains: [], nextAtMs: undefined };
    }
  }

  /** Stopped assignments whose service is gone already: deleted once their node says (or is) so. */
  private endStrays(snapshot: Snapshot): Chain[] {
    return [...this.strays].flatMap((serviceId) => {
      const tasks = [...this.index.of(serviceId).tasks.values()];
      if (tasks.length === 0) this.strays.delete(serviceId);
      return tasks
        .filter((task) => isOver(task, snapshot))
        .map(({ entry, record }): Chain => {
          const reason = 'its service is gone and so are its containers';
          return [{ kind: 'delete-task', key: entry.key, record, expectedRevision: entry.revision, reason }];
        });
    });
  }
}

function isOver({ record, node }: SlotTask, snapshot: Snapshot): boolean {
  return record.desired === 'stopped' && (node.removed || snapshot.statuses.get(record.id)?.value.removed === true);
}

/** An assignment the slot once had is missing: it is to be written again as soon as its node is known. */
function hasMissing({ current, tasks }: Slot): boolean {
  if (current.assigned.length === 0) return false;
  const known = new Set(tasks.map(({ record }) => record.id));
  return current.assigned.some(({ taskId }) => !known.has(taskId));
}

function remember(memory: Set<string>, id: string, isSo: boolean): void {
  if (isSo) memory.add(id);
  else memory.delete(id);
}

/** The services with these ids, oldest first. */
function entriesOf(ids: ReadonlySet<string>, { services }: Snapshot): ServiceEntry[] {
  const entries: ServiceEntry[] = [];
  for (const id of ids) {
    const entry = services.get(id);
    if (entry) entries.push(entry);
  }
  return entries.sort(({ value: a }, { value: b }) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
}

function byAge(a: SlotTask, b: SlotTask): number {
  return a.record.createdAtMs - b.record.createdAtMs || (a.record.id < b.record.id ? -1 : 1);
}

function byTaskId(a: { readonly taskId: string }, b: { readonly taskId: string }): number {
  return a.taskId < b.taskId ? -1 : 1;
}

/** The least of those given; undefined for none. */
function earliest(times: readonly (number | undefined)[]): number | undefined {
  let first: number | undefined;
  for (const time of times) if (time !== undefined && (first === undefined || time < first)) first = time;
  return first;
}
