/** What nodes, services and tasks use, the busiest first. Pure. */
import type { ServiceCalls, TaskUsage } from '../../../model/messages.ts';
import type { CallUsage, NodeUsage, ServiceUsage, TaskUsageRow } from '../../../model/native-api.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { liveServicesByName } from '../../store/live-services.ts';
import { nodeName } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { HeardUsage } from '../../usage/usage-book.ts';
import { serviceSummary } from './status-view.ts';

/** By node, what was heard lately. */
export type FreshUsage = ReadonlyMap<string, HeardUsage>;

/** Every node of the cluster; of those not heard lately only the state. */
export function nodeUsages(snapshot: Snapshot, fresh: FreshUsage): NodeUsage[] {
  const rows = [...snapshot.nodeSpecs.keys()].map((id) => {
    const usage = fresh.get(id)?.usage;
    return {
      id,
      name: nodeName(snapshot, id),
      state: snapshot.nodes.has(id) ? (snapshot.liveness.get(id)?.state ?? 'unknown') : 'down',
      cpuCores: usage?.cpuCores,
      cpuTotalCores: usage?.cpuTotalCores,
      memoryBytes: usage?.memoryBytes,
      memoryTotalBytes: usage?.memoryTotalBytes,
      load1: usage?.load1,
      diskBytes: usage?.disk?.bytes,
      diskTotalBytes: usage?.disk?.totalBytes,
      tasks: usage?.tasks.length ?? 0,
    };
  });
  return rows.sort(busiestFirst);
}

/** Every task that was measured lately. */
export function taskUsages(snapshot: Snapshot, fresh: FreshUsage): TaskUsageRow[] {
  const rows = measuredTasks(snapshot, fresh).map(({ task, usage }) => {
    const { taskId: id, serviceId: _, ...amounts } = usage;
    return { id, name: taskName(snapshot, task), node: nodeName(snapshot, task.nodeId), ...amounts };
  });
  return rows.sort(busiestFirst);
}

/** Every service, with the sums of what is known of its tasks. */
export function serviceUsages(snapshot: Snapshot, fresh: FreshUsage): ServiceUsage[] {
  const byService = new Map<string, TaskUsage[]>();
  for (const { task, usage } of measuredTasks(snapshot, fresh)) {
    byService.set(task.serviceId, [...(byService.get(task.serviceId) ?? []), usage]);
  }
  const rows = liveServicesByName(snapshot).map((service) => {
    const usages = byService.get(service.id) ?? [];
    return {
      id: service.id,
      name: service.spec.Name,
      tasks: usages.length,
      desired: serviceSummary(snapshot, service).desired,
      cpuCores: sumOf(usages, ({ cpuCores }) => cpuCores),
      memoryBytes: sumOf(usages, ({ memoryBytes }) => memoryBytes),
      receiveBytesPerSecond: sumOf(usages, (usage) => usage.receiveBytesPerSecond),
      transmitBytesPerSecond: sumOf(usages, (usage) => usage.transmitBytesPerSecond),
      connectionsPerSecond: sumOf(usages, (usage) => usage.connectionsPerSecond),
    };
  });
  return rows.sort(busiestFirst);
}

/** Who calls whom, over all nodes: a node is believed about calls to services that exist. */
export function callUsages(snapshot: Snapshot, fresh: FreshUsage): CallUsage[] {
  const nameOf = (id: string) => snapshot.services.get(id)?.value.spec.Name;
  const rows = new Map<string, CallUsage>();
  for (const { from: caller, to: called, connectionsPerSecond } of [...fresh.values()].flatMap(callsOf)) {
    const to = nameOf(called);
    if (to === undefined) continue;
    const from = caller && nameOf(caller);
    const known = rows.get(`${from ?? ''} ${to}`)?.connectionsPerSecond ?? 0;
    rows.set(`${from ?? ''} ${to}`, { from, to, connectionsPerSecond: known + connectionsPerSecond });
  }
  return [...rows.values()].sort(mostCallsFirst);
}

function callsOf({ usage }: HeardUsage): readonly ServiceCalls[] {
  return usage.calls ?? [];
}

/** Equals by name, so that rows do not dance. */
function mostCallsFirst(left: CallUsage, right: CallUsage): number {
  const nameOf = ({ from = '', to }: CallUsage) => `${to} ${from}`;
  const difference = right.connectionsPerSecond - left.connectionsPerSecond;
  return difference || nameOf(left).localeCompare(nameOf(right), 'en', { numeric: true });
}

interface MeasuredTask {
  readonly task: TaskRecord;
  readonly usage: TaskUsage;
}

/** A node is believed about tasks that are assigned to it, and about no others. */
function measuredTasks(snapshot: Snapshot, fresh: FreshUsage): MeasuredTask[] {
  return [...fresh].flatMap(([nodeId, { usage }]) =>
    usage.tasks.flatMap((each) => {
      const task = snapshot.tasks.get(each.taskId)?.value;
      return task?.nodeId === nodeId ? [{ task, usage: each }] : [];
    }),
  );
}

/** `web.1`; the slot of a global service is the node. */
function taskName(snapshot: Snapshot, { serviceId, serviceName, slot, nodeId }: TaskRecord): string {
  const name = snapshot.services.get(serviceId)?.value.spec.Name ?? serviceName;
  return `${name}.${slot === 0 ? nodeName(snapshot, nodeId) : slot}`;
}

/** Undefined when it is known of none. */
function sumOf(usages: readonly TaskUsage[], amountOf: (usage: TaskUsage) => number | undefined): number | undefined {
  const known = usages.map(amountOf).filter((amount) => amount !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, amount) => sum + amount, 0);
}

interface Row {
  readonly name: string;
  readonly cpuCores?: number | undefined;
}

/** What is not known comes last; equals by name, so that rows do not dance. */
function busiestFirst(left: Row, right: Row): number {
  const difference = (right.cpuCores ?? -1) - (left.cpuCores ?? -1);
  return difference || left.name.localeCompare(right.name, 'en', { numeric: true });
}
