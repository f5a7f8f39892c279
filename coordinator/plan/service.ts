/** The plan for one service: its slots, its roll-out, its unhealthy tasks; or its removal. */

import { isJob } from '../../model/jobs.ts';
import type { PlacementTable } from '../../model/placement-table.ts';
import { effectiveReplicas } from '../../model/scale-record.ts';
import { isGlobal } from '../../model/service-defaults.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Action, Chain, Moment } from './actions.ts';
import type { Kinship } from './affinity.ts';
import { Budget } from './budget.ts';
import { withClusterVolumes } from './cluster-volumes.ts';
import { type Requirements, stillSuits } from './filters.ts';
import { wantedGlobal } from './global.ts';
import { remember } from './history.ts';
import { stepJob } from './job.ts';
import type { NetworkRooms } from './network/network-room.ts';
import type { NodeBoard } from './node-board.ts';
import type { PlanNode } from './nodes.ts';
import type { Occupancy } from './occupancy.ts';
import { wantedReplicas } from './replicated.ts';
import { restoreLost, type Trace } from './restore.ts';
import { rollbackObstacle } from './rollback-obstacle.ts';
import { type RolloutStep, stepRollout } from './rollout.ts';
import { sameValue } from './same-value.ts';
import { type Situation, settleSlot, type Vacancy } from './settle.ts';
import type { Slot, SlotTask } from './slot.ts';
import { replaceUnhealthy } from './unhealthy.ts';
import { fillVacancies, wantsOf } from './vacancies.ts';

export interface ServicePlanning {
  readonly entry: NonNullable<ReturnType<Snapshot['services']['get']>>;
  /** Every slot of the service that has a record, a task or a trace, by key. */
  readonly slots: Map<string, Slot>;
  readonly traces: ReadonlyMap<string, readonly Trace[]>;
  readonly snapshot: Snapshot;
  readonly nodes: ReadonlyMap<string, PlanNode>;
  readonly occupancy: Occupancy;
  readonly board: NodeBoard;
  readonly kinship: Kinship;
  readonly rooms: NetworkRooms;
  readonly historyLimit: number;
  readonly now: Moment;
  readonly wakeAt: (wallMs: number) => void;
  /** Told how placement found the nodes. */
  readonly onTable: (table: PlacementTable) => void;
  /** Makes the slot of a key that has none yet. */
  readonly newSlot: (key: string) => Slot;
}

/** The chains of one service. A removed one is taken down; any other is brought to what its specification wants. */
export function planService(planning: ServicePlanning): Chain[] {
  const service = planning.entry.value;
  if (service.removedAtMs !== undefined) return removalOf(planning);
  for (const slot of planning.slots.values()) forgetGone(slot, planning);
  if (isJob(service.spec)) return planJob(planning);
  const wanted = wantedSlots(planning);
  for (const slot of planning.slots.values()) restore(slot, wanted, planning);
  for (const [key, slot] of planning.slots) if (!wanted.has(key)) retireSlot(slot);
  const slots = [...wanted].map((key) => slotFor(key, planning)).sort(bySlot);
  const rollout = stepRollout({
    service,
    version: planning.entry.revision,
    slots: slots.filter((slot) => canUpdate(slot, planning)),
    before: planning.snapshot.rollouts.get(service.id)?.value,
    obstacle: () => rollbackObstacle(service, planning.snapshot),
    now: planning.now,
  });
  if (rollout.nextAtMs !== undefined) planning.wakeAt(rollout.nextAtMs);
  const budget = new Budget(slots, service.spec.Labels);
  staff(slots, rollout.inWork, budget, planning);
  replaceUnhealthy(slots, budget);
  return [rolloutChain(rollout, planning), ...[...planning.slots.values()].map((slot) => slot.chain())];
}

/** A job is not rolled out: each change of it begins a new run. */
function planJob(planning: ServicePlanning): Chain[] {
  const service = planning.entry.value;
  const nodeKeys = isGlobal(service.spec) ? wantedSlots(planning) : new Set<string>();
  const { slots, inWork, completed } = stepJob(service, planning.slots.values(), nodeKeys);
  for (const slot of planning.slots.values()) {
    if (!completed.has(slot.key)) restore(slot, slots, planning);
    if (!slots.has(slot.key)) retireSlot(slot);
  }
  const working = [...inWork].map((key) => slotFor(key, planning)).sort(bySlot);
  const budget = new Budget(working, service.spec.Labels);
  staff(working, inWork, budget, planning);
  replaceUnhealthy(working, budget);
  return [...planning.slots.values()].map((slot) => slot.chain());
}

function slotFor(key: string, planning: ServicePlanning): Slot {
  const known = planning.slots.get(key);
  if (known) return known;
  const made = planning.newSlot(key);
  planning.slots.set(key, made);
  return made;
}

function bySlot(a: Slot, b: Slot): number {
  return a.number - b.number || (a.key < b.key ? -1 : 1);
}

function forgetGone(slot: Slot, planning: ServicePlanning): void {
  for (const task of slot.tasks) {
    if (!task.gone) continue;
    const reason = task.node.removed ? 'its node was removed' : 'its containers are gone';
    slot.forgetTask(task, remember(slot.current.history, task, planning.now.wallMs, planning.historyLimit), reason);
  }
}

function wantedSlots(planning: ServicePlanning): ReadonlySet<string> {
  const { nodes, slots, traces, snapshot } = planning;
  const service = planning.entry.value;
  if (isGlobal(service.spec)) return wantedGlobal(nodes.values(), service.spec.TaskTemplate, slots, traces);
  const replicas = effectiveReplicas(service.spec, snapshot.scales.get(service.id)?.value);
  return wantedReplicas([...slots.values()], replicas);
}

function restore(slot: Slot, wanted: ReadonlySet<string>, planning: ServicePlanning): void {
  restoreLost(slot, planning.traces.get(slot.key) ?? [], wanted.has(slot.key), planning.nodes, planning.now);
}

function retireSlot(slot: Slot): void {
  const reason = slot.number > 0 ? 'scaled down' : `node ${slot.tasks[0]?.node.name ?? slot.key} no longer takes it`;
  for (const task of slot.live) slot.stopTask(task, reason);
  slot.amend({ pending: undefined, surge: undefined }, reason);
}

/** A slot of a global service follows its node: one that is away or paused is not waited for. */
function canUpdate(slot: Slot, planning: ServicePlanning): boolean {
  if (slot.number > 0) return true;
  const node = planning.nodes.get(slot.key);
  return node?.state === 'ready' && node.availability === 'active';
}

function staff(slots: readonly Slot[], inWork: ReadonlySet<string>, budget: Budget, planning: ServicePlanning): void {
  const service = planning.entry.value;
  const suitability = new Suitability(service, planning.occupancy);
  const vacancies: Vacancy[] = [];
  const { now, wakeAt } = planning;
  const unsuitable = (task: SlotTask) => suitability.objection(task);
  const waiting: Situation = { now, revision: service.revision, mayUpdate: false, unsuitable, budget, wakeAt };
  const working: Situation = { ...waiting, mayUpdate: true };
  for (const slot of slots) {
    if (slot.isRestoring || isLostGlobal(slot) || isInDoubt(slot, planning)) continue;
    const vacancy = settleSlot(slot, inWork.has(slot.key) ? working : waiting);
    if (vacancy) vacancies.push(vacancy);
  }
  fillVacancies(vacancies, {
    service: withClusterVolumes(service, planning.snapshot),
    slots,
    now: planning.now,
    nodes: planning.nodes,
    occupancy: planning.occupancy,
    board: planning.board,
    kinship: planning.kinship,
    rooms: planning.rooms,
    isPerNode: isGlobal(service.spec),
    onTable: planning.onTable,
  });
}

/** Nothing tells of a task of this slot, and the nodes have not yet said whether there is one. */
function isInDoubt(slot: Slot, { snapshot, entry }: ServicePlanning): boolean {
  return slot.isBlank && snapshot.doubt?.services.has(entry.value.id) === true;
}

/** A global service's task on a lost node has no other place to go. */
function isLostGlobal(slot: Slot): boolean {
  return slot.number === 0 && slot.live.some((task) => task.lost);
}

/** Whether nodes still suit a service's tasks; asked once per node, however many tasks it has. */
class Suitability {
  private readonly service: ServiceRecord;
  private readonly occupancy: Occupancy;
  private readonly wants: Requirements;
  private readonly suits = new Map<string, boolean>();

  constructor(service: ServiceRecord, occupancy: Occupancy) {
    this.service = service;
    this.occupancy = occupancy;
    this.wants = wantsOf(service);
  }

  /** Why the task may not stay where it is; undefined when it may. Tasks of old revisions go by their update. */
  objection({ node, record }: SlotTask): string | undefined {
    if (node.availability === 'drain') return `node ${node.name} is drained`;
    const isDescribed = node.record !== undefined && node.spec !== undefined;
    if (!isDescribed || record.revision !== this.service.revision || this.isSuitable(node)) return undefined;
    return `node ${node.name} no longer meets the placement constraints`;
  }

  private isSuitable(node: PlanNode): boolean {
    const known = this.suits.get(node.id);
    if (known !== undefined) return known;
    const suits = stillSuits(node, this.occupancy.use(node.id), this.wants);
    this.suits.set(node.id, suits);
    return suits;
  }
}

function rolloutChain(step: RolloutStep, planning: ServicePlanning): Chain {
  const { entry, snapshot } = planning;
  const before = snapshot.rollouts.get(entry.value.id);
  const chain: Action[] = [];
  if (step.record && !sameValue(step.record, before?.value)) {
    chain.push({
      kind: 'put-rollout',
      key: entry.value.id,
      record: step.record,
      expectedRevision: before?.revision,
      reason: step.record.message,
    });
  }
  if (step.rollBack !== undefined) {
    chain.push({
      kind: 'roll-back-service',
      key: entry.value.id,
      expectedRevision: entry.revision,
      reason: step.rollBack,
    });
  }
  return chain;
}

/** Stops every task; deletes what the leader keeps of the service, then the service itself, once none can be running. */
function removalOf(planning: ServicePlanning): Chain[] {
  const { entry, slots, snapshot, traces, nodes, now } = planning;
  const reason = 'the service was removed';
  // Assignments may have been lost while their nodes were away: these nodes are to hear of the end too.
  for (const slot of slots.values()) restoreLost(slot, traces.get(slot.key) ?? [], false, nodes, now);
  const tasks = [...slots.values()].flatMap((slot) => slot.tasks.map((task) => ({ slot, task })));
  for (const { slot, task } of tasks) if (!task.gone) slot.stopTask(task, reason);
  // The word to stop is written first, for nodes that are away too: they hear it when they come back.
  const told = ({ task }: (typeof tasks)[number]) => task.gone || (task.lost && task.record.desired === 'stopped');
  const isRestoring = [...slots.values()].some((slot) => slot.isRestoring);
  if (isRestoring || !tasks.every(told)) return [...slots.values()].map((slot) => slot.chain());
  const leftover: Chain[] = tasks.filter(({ task }) => task.gone).map(({ task }) => [deletionOf(task, reason)]);
  const records = [...snapshot.slots].filter(([, slot]) => slot.value.serviceId === entry.value.id);
  const slotDeletions = records.map(
    ([key, slot]): Chain => [{ kind: 'delete-slot', key, expectedRevision: slot.revision, reason }],
  );
  if (leftover.length + slotDeletions.length > 0) return [...leftover, ...slotDeletions];
  return [finalDeletions(planning, reason)];
}

function deletionOf(task: SlotTask, reason: string): Action {
  const record: TaskRecord = task.record;
  return { kind: 'delete-task', key: task.entry.key, record, expectedRevision: task.entry.revision, reason };
}

function finalDeletions({ entry, snapshot }: ServicePlanning, reason: string): Chain {
  const key = entry.value.id;
  const rollout = snapshot.rollouts.get(key);
  const scale = snapshot.scales.get(key);
  return [
    ...(rollout ? [{ kind: 'delete-rollout', key, expectedRevision: rollout.revision, reason } as const] : []),
    ...(scale ? [{ kind: 'delete-scale', key, expectedRevision: scale.revision, reason } as const] : []),
    { kind: 'delete-service', key, expectedRevision: entry.revision, reason },
  ];
}
