/** Gives vacant slots their tasks: places them, makes their records, or writes down why there is no place. */
import type { GenericResource } from '../../model/generic-resources.ts';
import { isJob } from '../../model/jobs.ts';
import type { PlacementTable } from '../../model/placement-table.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { Moment } from './actions.ts';
import type { Kinship } from './affinity.ts';
import { type Requirements, requirementsOf, type Surroundings } from './filters.ts';
import { assignGeneric } from './generic-resources.ts';
import type { NetworkRooms } from './network/network-room.ts';
import { NodeBoard } from './node-board.ts';
import type { PlanNode } from './nodes.ts';
import { hostPortsOf, isOverForGood, type Occupancy } from './occupancy.ts';
import { FAILURES_TO_AVOID_NODE, GroupPlacement, type PlacementResult, type Refusal } from './placement.ts';
import { nodesFailing } from './recent-failures.ts';
import { tallyForNext } from './restart-tally.ts';
import { failuresOf, type Vacancy } from './settle.ts';
import type { Slot, SlotTask } from './slot.ts';
import { type DataHolder, dataHolderOf, stickyVolumes } from './sticky-volumes.ts';
import { startsFirst } from './update-order.ts';
import { orderOf } from './verdicts.ts';

/** Nodes in a table that is kept. */
const MOST_VERDICTS = 20;

export interface Staffing {
  readonly service: ServiceRecord;
  /** The slots of the service that are worked on: what failed in them is avoided. */
  readonly slots: readonly Slot[];
  readonly now: Moment;
  readonly nodes: ReadonlyMap<string, PlanNode>;
  readonly occupancy: Occupancy;
  readonly board: NodeBoard;
  readonly kinship: Kinship;
  readonly rooms: NetworkRooms;
  /** True when each slot belongs to one node. */
  readonly isPerNode: boolean;
  /** Told how the first task that is placed on any node, or asks for one in vain, found the nodes. */
  readonly onTable: (table: PlacementTable) => void;
}

/** Fills the vacancies of one service, in order. */
export function fillVacancies(vacancies: readonly Vacancy[], staffing: Staffing): void {
  if (vacancies.length === 0) return;
  const crew = new Crew(staffing, vacancies.length);
  for (const vacancy of vacancies) fill(vacancy, crew);
}

/** What all vacancies of a service share. */
class Crew {
  readonly staffing: Staffing;
  readonly wants: Requirements;
  /** What every one of their tasks is a copy of; complete, as an object that grows after it was copied costs ten times as much. */
  readonly pattern: TaskRecord;
  private readonly tasks: number;
  private readonly failing: ReadonlySet<string>;
  private anywhere: GroupPlacement | undefined;
  private isTold = false;

  constructor(staffing: Staffing, tasks: number) {
    const { service, slots, now } = staffing;
    this.staffing = staffing;
    this.tasks = tasks;
    this.wants = wantsOf(service, surroundingsOf(service, staffing, tasks));
    const own = { id: '', desired: 'running', priorFailures: 0, reason: '' } as const;
    this.pattern = { ...taskBody(service, 0, '', now), ...own };
    this.failing = nodesFailing(slots, service.revision, now);
  }

  /** On any node that fits. The nodes are looked at once for all vacancies. */
  placement(): GroupPlacement {
    this.anywhere ??= this.placementOn(this.staffing.board, this.tasks);
    return this.anywhere;
  }

  /** To be called before what was found out changes anything. */
  tellTable(): void {
    if (this.isTold || !this.anywhere) return;
    this.isTold = true;
    const { service, onTable } = this.staffing;
    const question = `where tasks of ${service.spec.Name} were to go then`;
    onTable({ question, order: orderOf(service), nodes: this.anywhere.verdicts(MOST_VERDICTS) });
  }

  /** On this node or nowhere. */
  placementAt(node: PlanNode | undefined): GroupPlacement {
    return this.placementOn(new NodeBoard(node ? [node] : [], this.staffing.occupancy), 1);
  }

  private placementOn(board: NodeBoard, tasks: number): GroupPlacement {
    const { wants, failing } = this;
    return new GroupPlacement({ board, wants, occupancy: this.staffing.occupancy, tasks, failing });
  }
}

/** What the current revision of a service asks of a node; without what surrounds it, which does not matter to tasks that run. */
export function wantsOf(service: ServiceRecord, surroundings?: Surroundings): Requirements {
  return requirementsOf(service.id, service.spec.TaskTemplate, taskPortsOf(service), surroundings);
}

/** Its kin, its encrypted networks, and the networks whose addresses so many more tasks of it may use up. */
export function surroundingsOf(
  service: ServiceRecord,
  { kinship, rooms, occupancy, board }: Pick<Staffing, 'kinship' | 'rooms' | 'occupancy' | 'board'>,
  tasks: number,
): Surroundings {
  const most = { tasks, nodes: board.nodes.length };
  const template = service.spec.TaskTemplate;
  return {
    ...kinship.of(service, occupancy),
    networks: rooms.of(template, occupancy, most),
    encrypted: rooms.encryptedOf(template),
  };
}

/** A service's ports as its tasks carry them; 0 where the engine shall choose. */
export function taskPortsOf(service: ServiceRecord): TaskRecord['ports'] {
  return service.ports.map((port) => ({ ...port, PublishedPort: port.PublishedPort ?? 0 }));
}

function fill(vacancy: Vacancy, crew: Crew): void {
  const { staffing } = crew;
  const choice = chooseAmong(vacancy, crew);
  if ('refusal' in choice) return refuse(vacancy, choice.refusal, crew);
  crew.tellTable();
  const record = newTask(vacancy, choice, crew);
  staffing.occupancy.add(record);
  rememberSurge(vacancy, staffing.now);
  rememberData(vacancy, record);
  vacancy.slot.makeTask(record);
}

/** The slot's own node, the node with its data, or any. */
function chooseAmong(vacancy: Vacancy, crew: Crew): Choice {
  const { service, nodes, isPerNode } = crew.staffing;
  const { slot } = vacancy;
  if (isPerNode) return choosePlace(vacancy, crew.placementAt(nodes.get(slot.key)), crew.staffing);
  const holder = dataHolderOf(service, slot, nodes);
  if (!holder) return choosePlace(vacancy, crew.placement(), crew.staffing);
  const choice = choosePlace(vacancy, crew.placementAt(holder.node), crew.staffing);
  if ('nodeId' in choice) return choice;
  if (holder.mayMove) return choosePlace(vacancy, crew.placement(), crew.staffing);
  return { refusal: { reason: waitingFor(holder, choice.refusal), code: 'volume' } };
}

function waitingFor({ node, volumes }: DataHolder, { reason }: Refusal): string {
  const what = `its volume${volumes.length > 1 ? 's' : ''} ${volumes.join(', ')}`;
  const why = reason.slice(reason.indexOf('(') + 1, -1);
  return `no suitable node (waits for ${node.name}, which has ${what}: ${why})`;
}

/** From now on the slot belongs to the node its volumes are on. */
function rememberData({ slot }: Vacancy, record: TaskRecord): void {
  const volumes = stickyVolumes(record.template);
  if (volumes.length > 0 && record.slot > 0) slot.amend({ dataOn: { nodeId: record.nodeId, volumes } }, record.reason);
}

interface Place {
  readonly nodeId: string;
  readonly desired: 'ready' | 'running';
}
type Choice = Place | { readonly refusal: Refusal };

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
  const choice = without(vacancy.replaced, staffing.occupancy, () => placement.place(failures, isAcceptable));
  return 'nodeId' in choice ? { ...choice, desired: 'ready' } : choice;
}

/** They keep their room until the new task is ready, but leave soon: the spread is as it will be without them. */
function placeBeside(tasks: readonly SlotTask[], occupancy: Occupancy, place: () => PlacementResult): PlacementResult {
  if (tasks.length === 0) return place();
  const staying = withRoom(tasks);
  for (const task of staying) occupancy.count(task.record, -1);
  const choice = place();
  for (const task of staying) occupancy.count(task.record, 1);
  return choice;
}

function without<T>(tasks: readonly SlotTask[], occupancy: Occupancy, look: () => T): T {
  if (tasks.length === 0) return look();
  const leaving = withRoom(tasks);
  for (const task of leaving) occupancy.release(task.record);
  const found = look();
  for (const task of leaving) occupancy.add(task.record);
  return found;
}

/** What the index does not count cannot be taken out. */
function withRoom(tasks: readonly SlotTask[]): SlotTask[] {
  return tasks.filter(({ record, status }) => !isOverForGood(record, status));
}

/** A node this slot has not failed on often. */
function isFresh(node: PlanNode, mover: SlotTask, failures: Readonly<Record<string, number>>): boolean {
  return node.id !== mover.node.id && (failures[node.id] ?? 0) < FAILURES_TO_AVOID_NODE;
}

function newTask(vacancy: Vacancy, place: Place, crew: Crew): TaskRecord {
  const { slot, mover, reason } = vacancy;
  const { nodeId, desired } = place;
  const id = slot.nextTaskId;
  const priorFailures = mover?.status?.failures ?? 0;
  const record: TaskRecord = { ...crew.pattern, slot: slot.number, nodeId, id, desired, priorFailures, reason };
  const tally = priorRestarts(vacancy, crew.staffing.now);
  if (tally) record.priorRestarts = tally;
  if (crew.wants.generic.size > 0) record.generic = genericFor(vacancy, place, crew);
  return record;
}

/** Also into the slot's record: an assignment that is lost is written again from there. */
function priorRestarts({ slot, mover }: Vacancy, now: Moment): TaskRecord['priorRestarts'] {
  const tally = tallyForNext(slot, mover, now);
  slot.amend({ restarts: tally && { revision: slot.service.revision, ...tally } }, 'counts restarts on');
  return tally;
}

/** Whoever waits for the task before it may have what that one has. */
function genericFor({ replaced }: Vacancy, { nodeId, desired }: Place, { staffing, wants }: Crew): GenericResource[] {
  const { board, occupancy } = staffing;
  const at = board.get(nodeId);
  if (!at) return [];
  const leaving = desired === 'ready' ? replaced : [];
  return without(leaving, occupancy, () => assignGeneric(at.node, at.use, wants.generic));
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
function refuse(vacancy: Vacancy, refusal: Refusal, crew: Crew): void {
  const { staffing } = crew;
  const { slot, mover } = vacancy;
  if (mover) return;
  const { revision } = staffing.service;
  const known = slot.current.pending;
  const isKnown = known?.revision === revision && known.taskId === slot.nextTaskId;
  if (!isKnown || known.reason !== refusal.reason) crew.tellTable();
  const sinceMs = isKnown ? known.sinceMs : staffing.now.wallMs;
  slot.amend({ pending: { taskId: slot.nextTaskId, revision, sinceMs, ...refusal } }, refusal.reason);
  // Not one node described: their records are lost, and with them every reason to believe there is no place.
  if (!staffing.board.nodes.some(({ node }) => node.record)) return;
  for (const task of vacancy.replaced) {
    if (task.record.revision === revision) slot.stopTask(task, vacancy.reason);
  }
}
