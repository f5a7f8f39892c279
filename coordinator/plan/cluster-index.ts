/**
 * A cluster's records sorted out for planning, kept from one plan to the next: only what differs between two snapshots is
 * looked at again. It says which services a plan has to look at.
 */

import { isGlobal } from '../../model/service-defaults.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Moment } from './actions.ts';
import { Kinship } from './affinity.ts';
import { changedKeys } from './changed-keys.ts';
import { NetworkRooms } from './network/network-room.ts';
import { NodeBoard } from './node-board.ts';
import { idsOfNodes, nodeOf, type PlanNode } from './nodes.ts';
import { isOverForGood, type Load, Occupancy } from './occupancy.ts';
import type { Trace } from './restore.ts';
import { type SlotTask, slotTaskOf } from './slot.ts';

/** A trace that says which slot it belongs to. */
export type SlotTrace = Trace & Pick<TaskRecord, 'slot'>;

/** What is known of one service, besides its specification. */
export interface ServiceRecords {
  /** By task id. */
  readonly tasks: Map<string, SlotTask>;
  /** Containers without an assignment, by task id. */
  readonly traces: Map<string, SlotTrace>;
  /** Keys of slots that have a record. */
  readonly slotKeys: Set<string>;
}

/** What a new snapshot changed. */
export interface Changes {
  /** Services with a record, task, node or trace that changed. */
  readonly services: ReadonlySet<string>;
  /** True when nodes, what they carry, kinship or addresses changed: who found no place may find one now. */
  readonly room: boolean;
}

export class ClusterIndex {
  nodes: ReadonlyMap<string, PlanNode> = new Map();
  board: NodeBoard;
  kinship = new Kinship(new Map());
  rooms = new NetworkRooms({ nets: new Map(), networks: new Map() });
  readonly occupancy = new Occupancy();
  private readonly byService = new Map<string, ServiceRecords>();
  private readonly tasksByNode = new Map<string, Set<string>>();
  /** Which service each task, slot and trace was sorted under. */
  private readonly taskOwners = new Map<string, { readonly serviceId: string; readonly load: Load | undefined }>();
  private readonly perNode = new Set<string>();
  private before: Snapshot | undefined;
  private changed = new Set<string>();

  constructor() {
    this.board = new NodeBoard([], this.occupancy);
  }

  /** What is known of a service; empty for one nothing is known of. */
  of(serviceId: string): ServiceRecords {
    return this.byService.get(serviceId) ?? { tasks: new Map(), traces: new Map(), slotKeys: new Set() };
  }

  private tasksOn(nodeId: string): ReadonlySet<string> {
    return this.tasksByNode.get(nodeId) ?? new Set();
  }

  update(snapshot: Snapshot, now: Moment): Changes {
    const { before } = this;
    this.changed = new Set();
    this.restartChanges();
    const tasks = new Set(changedKeys(before?.tasks ?? new Map(), snapshot.tasks));
    for (const id of tasks) this.moveTask(id, snapshot);
    const changedNodes = this.updateNodes(snapshot, now);
    for (const nodeId of changedNodes) for (const id of this.tasksOn(nodeId)) tasks.add(id);
    const statuses = changedKeys(before?.statuses ?? new Map(), snapshot.statuses);
    for (const id of statuses) tasks.add(id);
    for (const id of tasks) this.refresh(id, snapshot, before);
    this.noteRecords(snapshot);
    if (changedNodes.length > 0) for (const id of this.perNode) this.changed.add(id);
    const isBusier = before?.busy !== snapshot.busy;
    if (changedNodes.length > 0 || isBusier) {
      this.board = new NodeBoard(this.nodes.values(), this.occupancy, snapshot.busy);
    }
    const isOtherKinship = before?.services !== snapshot.services;
    const isOtherAddresses = before?.nets !== snapshot.nets || before?.networks !== snapshot.networks;
    if (isOtherAddresses) this.rooms = new NetworkRooms(snapshot);
    const isOtherRoom = isBusier || isOtherKinship || isOtherAddresses;
    const room = changedNodes.length > 0 || isOtherRoom || this.occupancy.changes.length > 0;
    this.before = snapshot;
    return { services: this.changed, room };
  }

  /** Beginning a plan, and once it is made, the list of changes begins anew. */
  restartChanges(): void {
    this.board.restart();
    this.occupancy.changes.length = 0;
  }

  private noteRecords(snapshot: Snapshot): void {
    const { before } = this;
    for (const id of changedKeys(before?.services ?? new Map(), snapshot.services)) {
      this.changed.add(id);
      const service = snapshot.services.get(id)?.value;
      if (service && isGlobal(service.spec)) this.perNode.add(id);
      else this.perNode.delete(id);
    }
    if (before?.services !== snapshot.services) this.kinship = new Kinship(snapshot.services);
    for (const id of changedKeys(before?.rollouts ?? new Map(), snapshot.rollouts)) this.changed.add(id);
    for (const id of changedKeys(before?.scales ?? new Map(), snapshot.scales)) this.changed.add(id);
    for (const key of changedKeys(before?.slots ?? new Map(), snapshot.slots)) {
      const entry = snapshot.slots.get(key) ?? before?.slots.get(key);
      if (!entry) continue;
      const { serviceId } = entry.value;
      const { slotKeys } = this.touch(serviceId);
      const slotKey = key.slice(serviceId.length + 1);
      if (snapshot.slots.has(key)) slotKeys.add(slotKey);
      else slotKeys.delete(slotKey);
      this.forgetEmpty(serviceId);
    }
  }

  /** The nodes that are not what they were; those of lost ones change with time alone. */
  private updateNodes(snapshot: Snapshot, now: Moment): string[] {
    const { before } = this;
    const isAsBefore =
      before?.nodes === snapshot.nodes &&
      before.nodeSpecs === snapshot.nodeSpecs &&
      before.liveness === snapshot.liveness &&
      ![...this.nodes.values()].some(isTimed) &&
      [...this.tasksByNode.keys()].every((id) => this.nodes.has(id));
    return isAsBefore ? [] : this.lookAtNodes(snapshot, now);
  }

  private lookAtNodes(snapshot: Snapshot, now: Moment): string[] {
    const ids = idsOfNodes(snapshot, this.tasksByNode.keys());
    const isSame = ids.size === this.nodes.size && [...ids].every((id) => this.nodes.has(id));
    const order = isSame ? [...this.nodes.keys()] : [...ids].sort();
    const changed = [...this.nodes.keys()].filter((id) => !ids.has(id));
    const nodes = new Map<string, PlanNode>();
    for (const id of order) {
      const known = this.nodes.get(id);
      const node = nodeOf(snapshot, id, now);
      if (known && isSameNode(known, node)) nodes.set(id, known);
      else {
        nodes.set(id, node);
        changed.push(id);
      }
    }
    if (changed.length > 0) this.nodes = nodes;
    return changed;
  }

  /** Sorts an assignment under its node. */
  private moveTask(id: string, snapshot: Snapshot): void {
    const before = this.before?.tasks.get(id)?.value.nodeId;
    const after = snapshot.tasks.get(id)?.value.nodeId;
    if (before === after) return;
    const left = this.tasksByNode.get(before ?? '');
    left?.delete(id);
    if (before !== undefined && left?.size === 0) this.tasksByNode.delete(before);
    if (after === undefined) return;
    const tasks = this.tasksByNode.get(after) ?? new Set();
    this.tasksByNode.set(after, tasks.add(id));
  }

  /** Looks at a task, or what is left of one, anew. */
  private refresh(id: string, snapshot: Snapshot, before: Snapshot | undefined): void {
    const entry = snapshot.tasks.get(id);
    const status = statusOfItsNode(entry, snapshot.statuses.get(id)?.value);
    const known = this.taskOwners.get(id);
    const serviceId = entry?.value.serviceId ?? status?.serviceId ?? known?.serviceId;
    if (known && known.serviceId !== serviceId) this.forget(id, known.serviceId);
    if (known?.load) this.occupancy.release(known.load);
    this.taskOwners.delete(id);
    if (serviceId === undefined) return;
    const own = this.touch(serviceId);
    own.tasks.delete(id);
    own.traces.delete(id);
    const node = entry && this.nodes.get(entry.value.nodeId);
    if (entry && node) own.tasks.set(id, slotTaskOf(entry, status, node));
    if (!entry && status && hasContainer(status)) own.traces.set(id, status);
    const isGone = entry?.value.desired === 'stopped' && status?.removed === true;
    const load = entry && !isGone && !isOverForGood(entry.value, status) ? entry.value : undefined;
    if (load) this.occupancy.add(load);
    if (entry || own.traces.has(id)) this.taskOwners.set(id, { serviceId, load });
    else if (before) this.forgetEmpty(serviceId);
  }

  private forget(id: string, serviceId: string): void {
    const own = this.touch(serviceId);
    own.tasks.delete(id);
    own.traces.delete(id);
    this.forgetEmpty(serviceId);
  }

  private touch(serviceId: string): ServiceRecords {
    this.changed.add(serviceId);
    const known = this.byService.get(serviceId);
    if (known) return known;
    const own: ServiceRecords = { tasks: new Map(), traces: new Map(), slotKeys: new Set() };
    this.byService.set(serviceId, own);
    return own;
  }

  private forgetEmpty(serviceId: string): void {
    const own = this.byService.get(serviceId);
    if (own && own.tasks.size + own.traces.size + own.slotKeys.size === 0) this.byService.delete(serviceId);
  }
}

/** What another node says of a task is not believed. */
function statusOfItsNode(
  entry: { readonly value: TaskRecord } | undefined,
  status: StatusRecord | undefined,
): StatusRecord | undefined {
  return entry && entry.value.nodeId !== status?.nodeId ? undefined : status;
}

function hasContainer(status: StatusRecord): boolean {
  return !status.removed && status.containerId !== undefined;
}

/** Records are compared as they are: a changed one is another object. */
function isSameNode(a: PlanNode, b: PlanNode): boolean {
  let field: keyof PlanNode;
  for (field in a) if (a[field] !== b[field]) return false;
  return true;
}

/** While a node's engine or the whole node is away, time alone changes what is thought of it. */
function isTimed({ lost, state }: PlanNode): boolean {
  return lost || state === 'engine-unresponsive';
}
