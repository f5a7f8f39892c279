/** Gives vacant slots their tasks: places them, makes their records, or writes down why there is no place. */
import { isJob } from '../../model/jobs.ts';
import type { ServiceRecord, TaskRecord } from '../../model/records.ts';
import type { Moment } from './actions.ts';
import { type Requirements, requirementsOf } from './filters.ts';
import type { PlanNode } from './nodes.ts';
import { hostPortsOf, type Occupancy } from './occupancy.ts';
import { FAILURES_TO_AVOID_NODE, GroupPlacement, type PlacementResult, type Refusal } from './placement.ts';
import { failuresOf, type Vacancy } from './settle.ts';
import type { SlotTask } from './slot.ts';
import { startsFirst } from './update-order.ts';

export interface Staffing {
  readonly service: ServiceRecord;
  readonly now: Moment;
  readonly occupancy: Occupancy;
  /** The nodes that come into question for a vacancy. */
  readonly candidates: (vacancy: Vacancy) => Iterable<PlanNode>;
  /** True when every vacancy has the same candidates: they are then filtered once. */
  readonly sameCandidates: boolean;
}

/** Fills the vacancies of one service, in order. */
export function fillVacancies(vacancies: readonly Vacancy[], staffing: Staffing): void {
  const [first] = vacancies;
  if (!first) return;
  const shared = staffing.sameCandidates ? placementFor(first, staffing) : undefined;
  for (const vacancy of vacancies) fill(vacancy, shared ?? placementFor(vacancy, staffing), staffing);
}

function placementFor(vacancy: Vacancy, staffing: Staffing): GroupPlacement {
  const template = staffing.service.spec.TaskTemplate;
  return new GroupPlacement(staffing.candidates(vacancy), wantsOf(staffing.service), template, staffing.occupancy);
}

/** What the current revision of a service asks of a node. */
export function wantsOf(service: ServiceRecord): Requirements {
  return requirementsOf(service.id, service.spec.TaskTemplate, taskPortsOf(service));
}

/** A service's ports as its tasks carry them; 0 where the engine shall choose. */
export function taskPortsOf(service: ServiceRecord): TaskRecord['ports'] {
  return service.ports.map((port) => ({ ...port, PublishedPort: port.PublishedPort ?? 0 }));
}

function fill(vacancy: Vacancy, placement: GroupPlacement, staffing: Staffing): void {
  const choice = choosePlace(vacancy, placement, staffing);
  if ('refusal' in choice) return refuse(vacancy, choice.refusal, staffing);
  const record = newTask(vacancy, choice.nodeId, choice.desired, staffing);
  staffing.occupancy.add(record);
  rememberSurge(vacancy, staffing.now);
  vacancy.slot.makeTask(record);
}

type Choice = { nodeId: string; desired: 'ready' | 'running' } | { refusal: Refusal };

/** Beside the old tasks where the order says so and there is room; else in their place, once they are gone. */
function choosePlace(vacancy: Vacancy, placement: GroupPlacement, staffing: Staffing): Choice {
  const { slot, mover } = vacancy;
  const failures = failuresOf(slot.current, staffing.service.revision);
  const isAcceptable = mover ? (node: PlanNode) => isFresh(node, mover, failures) : undefined;
  const isClear = slot.tasks.every((task) => task.gone || task.lost);
  const beside = isClear || (!mover && startsFirst(staffing.service, vacancy.isMove));
  if (beside) {
    const choice = placeBeside(vacancy.replaced, staffing.occupancy, () => placement.place(failures, isAcceptable));
    if ('nodeId' in choice) return { ...choice, desired: 'running' };
    if (isClear || hostPortsOf(taskPortsOf(staffing.service)).length === 0) return choice;
  }
  const choice = placeWithout(vacancy.replaced, staffing.occupancy, () => placement.place(failures, isAcceptable));
  return 'nodeId' in choice ? { ...choice, desired: 'ready' } : choice;
}

/** They keep their room until the new task is ready, but leave soon: the spread is as it will be without them. */
function placeBeside(tasks: readonly SlotTask[], occupancy: Occupancy, place: () => PlacementResult): PlacementResult {
  for (const task of tasks) occupancy.count(task.record, -1);
  const choice = place();
  for (const task of tasks) occupancy.count(task.record, 1);
  return choice;
}

function placeWithout(tasks: readonly SlotTask[], occupancy: Occupancy, place: () => PlacementResult): PlacementResult {
  for (const task of tasks) occupancy.release(task.record);
  const choice = place();
  for (const task of tasks) occupancy.add(task.record);
  return choice;
}

/** A node this slot has not failed on often. */
function isFresh(node: PlanNode, mover: SlotTask, failures: Readonly<Record<string, number>>): boolean {
  return node.id !== mover.node.id && (failures[node.id] ?? 0) < FAILURES_TO_AVOID_NODE;
}

function newTask(vacancy: Vacancy, nodeId: string, desired: 'ready' | 'running', staffing: Staffing): TaskRecord {
  const { service, now } = staffing;
  return {
    ...taskBody(service, vacancy.slot.number, nodeId, now),
    id: vacancy.slot.nextTaskId,
    desired,
    priorFailures: vacancy.mover?.status?.failures ?? 0,
    reason: vacancy.reason,
  };
}

/** What every task of a service's current revision has in common. */
export function taskBody(
  service: ServiceRecord,
  slot: number,
  nodeId: string,
  now: Moment,
): Omit<TaskRecord, 'id' | 'desired' | 'reason' | 'priorFailures'> {
  return {
    v: 1,
    epoch: 0,
    serviceId: service.id,
    serviceName: service.spec.Name,
    serviceLabels: service.spec.Labels ?? {},
    slot,
    nodeId,
    revision: service.revision,
    template: service.spec.TaskTemplate,
    ports: taskPortsOf(service),
    ...(isJob(service.spec) ? { job: true as const } : {}),
    replaceAttempt: 0,
    createdAtMs: now.wallMs,
  };
}

function rememberSurge({ slot, lost, replaced }: Vacancy, now: Moment): void {
  const [task] = lost;
  if (!task || replaced.length > 0) return;
  const surge = { lostTaskId: task.record.id, lostNodeId: task.node.id, madeAtMs: now.wallMs };
  slot.amend({ surge }, `node ${task.node.name} is lost`);
}

/** No place: written into the slot for people; whoever has to leave leaves all the same. */
function refuse(vacancy: Vacancy, refusal: Refusal, staffing: Staffing): void {
  const { slot, mover } = vacancy;
  if (mover) return;
  const { revision } = staffing.service;
  const known = slot.current.pending;
  const isKnown = known?.revision === revision && known.taskId === slot.nextTaskId;
  const sinceMs = isKnown ? known.sinceMs : staffing.now.wallMs;
  slot.amend({ pending: { taskId: slot.nextTaskId, revision, sinceMs, ...refusal } }, refusal.reason);
  // Not one node described: their records are lost, and with them every reason to believe there is no place.
  if (![...staffing.candidates(vacancy)].some((node) => node.record)) return;
  for (const task of vacancy.replaced) {
    if (task.record.revision === revision) slot.stopTask(task, vacancy.reason);
  }
}
